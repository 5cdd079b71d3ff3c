"""A release attacked: whatever of a solution is planted, wherever, in whatever dress, is found."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from autograder.release import ReleaseError
from autograder.release.leaks import collect, search
from tests.autograder.release.conftest import cell, cells_of, notebook_of, picture
from tests.autograder.release.test_notebooks import ASSIGNMENT, find

MODULE = '''
def loss(x_hat, x, mu, logvar):
    """The loss."""
    ### BEGIN SOLUTION fc-vae.loss
    reconstruction = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu**2 - torch.exp(logvar))  # closed form, as papers have it
    return (reconstruction + kl) / len(x)
    ### END SOLUTION


def networks(self):
    ### BEGIN SOLUTION fc-vae.networks
    self.encoder = nn.Sequential(
        nn.Linear(input_size, self.hidden_dim),
        nn.Linear(self.hidden_dim, self.hidden_dim, bias=True),
    )
    ### END SOLUTION


def step(optimizer, loss):
    ### BEGIN SOLUTION autoencoder.loop
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    ### END SOLUTION


### BEGIN SOLUTION autoencoder.tuned_beta
TUNED_BETA = 0.137
### END SOLUTION
'''
CHECK = '''
"""Hidden checks."""


@check("fc-vae.loss")
def adds(hw5_vae, ref, rng):
    """The loss of two batches set side by side is the mean of their losses."""
    expect.close(hw5_vae.loss_function(*first), ref.loss_function(*first), scale=0.73219)
'''
PROSE = (
    "The encoder proposes for each image the few codes that matter, and the decoder would never "
    "see them otherwise. Blind codes explain nothing at all here."
)
FORMULA = r"$$p(x) = \prod_{j=1}^{G} \hat y_j^{\,x_j} \, (1 - \hat y_j)^{1 - x_j}$$"


@pytest.fixture
def found(reading, tmp_path):
    data = notebook_of("vae-theory")
    find(data, "vae-theory--1a")["source"] = (
        f"### BEGIN SOLUTION\n{PROSE}\n\n{FORMULA}\n### END SOLUTION"
    )
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "fc_vae.py").write_text(CHECK)
    return collect({"hw5_vae": MODULE}, [reading(data)], (tmp_path / "checks").glob("*.py"))


def in_module(text: str) -> dict[str, bytes]:
    return {"hw5_utils.py": f'"""Given."""\n\n\n{text}\n'.encode()}


def in_cell(source: str, kind: str = "markdown", **more: object) -> dict[str, bytes]:
    data = notebook_of("fc-vae")
    data["cells"].insert(2, cell(kind, "fc-vae--planted", source) | more)
    return {"3_fc_vae.ipynb": json.dumps(data).encode()}


def leaks(files: dict[str, bytes], found) -> str:
    return "\n".join(search(files, found))


LINE = "return (reconstruction + kl) / len(x)"
DRESSED = {
    "as it is": LINE,
    "with other spaces": "return(reconstruction+kl)/len( x )",
    "over several lines": "return (\n    reconstruction\n    + kl\n) / len(x)",
    "with parentheses": "return ((reconstruction + kl) / (len(x)))",
    "within a function": f"def f(x):\n    {LINE}",
    "in a comment": f"# {LINE}",
    "in a string": f"HINT = '{LINE}'",
    "with other quotes": "reconstruction = F.binary_cross_entropy(x_hat, x, reduction='sum')",
    "behind its comment": f"{LINE}  # of course",
    "a piece of a list": "x = [nn.Linear(self.hidden_dim, self.hidden_dim, bias=True), 3]",
    "other names": (
        "def f(b, c, e, g):\n"
        "    a = F.binary_cross_entropy(b, c, reduction='sum')\n"
        "    d = -0.5 * torch.sum(1 + g - e**2 - torch.exp(g))\n"
        "    return (a + d) / len(c)"
    ),
    "a loop under other names": "solver.zero_grad()\nerror.backward()\nsolver.step()",
    "the comment of a solution": "# Closed form as papers have it!",
    "the value of a constant": "parser.add_argument('--beta', default=0.137)",
    "a hidden check's sentence": (
        "# The loss of two batches, set side by side,\n# is the mean of their losses."
    ),
    "a hidden check's statement": (
        "expect.close(hw5_vae.loss_function(*first),\n"
        "    ref.loss_function( *first ), scale = 0.73219)"
    ),
    "a hidden check's constant": "SCALE = 0.73219",
}


@pytest.mark.parametrize("text", DRESSED.values(), ids=DRESSED)
def test_code_is_found_in_a_module(text, found):
    assert leaks(in_module(text), found).startswith("hw5_utils.py holds")


@pytest.mark.parametrize("text", [LINE, DRESSED["over several lines"]])
@pytest.mark.parametrize(
    "dress", ["```python\n{}\n```", "Try `{}`.", "<details>{}</details>", "{}"]
)
def test_code_is_found_in_text(text, dress, found):
    said = leaks(in_cell(dress.format(text)), found)
    assert said.startswith("3_fc_vae.ipynb, cell fc-vae--planted holds") and "fc-vae.loss" in said


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        PROSE.upper(),
        "so: **the encoder proposes**, for each image, the *few* codes that matter",
        "Blind codes explain nothing\nat all here",
        FORMULA,
        r"It is $\prod_{j=1}^G\hat{y}_j^{x_j}\left(1-\hat{y}_j\right)^{1-x_j}$.",
        "The owl of 1c in vae-theory flies at dusk, and never once before noon.",
    ],
)
def test_a_model_answer_is_found_wherever_it_stands(text, found):
    for files in (in_cell(text), in_module(f"# {text}".replace("\n", " "))):
        assert "keeps from students" in leaks(files, found)


def hidden_in(text: str) -> dict[str, dict[str, bytes]]:
    coded = base64.b64encode(text.encode()).decode()
    output = {"output_type": "stream", "name": "stdout", "text": [text]}
    data = {"output_type": "display_data", "metadata": {}, "data": {"text/html": text}}
    return {
        "output": in_cell("1", "code", outputs=[output]),
        "rich output": in_cell("1", "code", outputs=[data]),
        "metadata of a cell": in_cell("x", metadata={"hw5": {"note": text}}),
        "a key of the metadata": in_cell("x", metadata={text: 1}),
        "attachment": in_cell("x", attachments={"a.png": {"image/png": coded}}),
        "base64 in the text": in_cell(f"See {coded} for more."),
        "HTML": in_cell("".join(f"&#{ord(c)};" for c in text)),
        "escaped HTML": in_cell(html.escape(text)),
        "a link": in_cell(f"[here](https://example.edu/?q={quote(text)})"),
        "code that is no Python": in_cell(f"%%bash\n{text}", "code"),
        "README": {"README.md": f"# Owls\n\n{text}\n".encode()},
        "requirements": {"requirements.txt": f"torch  # {text}\n".encode()},
    }


PLACES = list(hidden_in(""))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", [LINE, PROSE], ids=["code", "prose"])
def test_it_is_found_in_every_place_a_file_has(text, place, found):
    assert leaks(hidden_in(text)[place], found) != ""


def test_the_metadata_of_a_notebook_are_searched(found):
    data = notebook_of("fc-vae")
    data["metadata"]["hw5"]["title"] = PROSE
    said = leaks({"3_fc_vae.ipynb": json.dumps(data).encode()}, found)
    assert said.startswith("3_fc_vae.ipynb, metadata holds")


def test_a_picture_is_searched_but_for_its_pixels(found):
    secret = picture(f"Hint: {LINE}\n")
    assert LINE.encode() not in secret
    (said,) = {one.partition(" holds")[0] for one in search({"pictures/owl.png": secret}, found)}
    assert said == "pictures/owl.png, chunk zTXt"
    behind = picture() + LINE.encode()
    assert "behind the last one" in next(search({"owl.png": behind}, found))
    assert not list(search({"owl.png": picture("An owl.")}, found))
    with pytest.raises(ReleaseError, match=r"owl\.png is no PNG picture"):
        list(search({"owl.png": b"GIF89a"}, found))


def test_honest_texts_are_no_leaks(found):
    honest = (
        "optimizer.step()\nz = mu + sigma * eps\nx.sum().backward()\n"
        "print(len(x), 0.137, 'the loss of two batches')\n"
        "# Codes explain each image; the encoder proposes them and the decoder sees the few.\n"
    )
    assert leaks(in_module(honest), found) == ""
    part = ASSIGNMENT.part("vae-theory")
    statement = cells_of(part, part.questions[1])[0]["source"]
    assert leaks(in_cell(statement), found) == ""


def test_a_paper_in_a_list_of_references_is_no_secret(reading, tmp_path):
    title = "On the Flight of Owls at Dusk and Never Once before Noon"
    data = notebook_of("vae-theory")
    find(data, "vae-theory--1a")["source"] = (
        f"### BEGIN SOLUTION\n{PROSE}\n\n## References\n\n1. A. Owl. Hooting. 2014.\n"
        f"2. B. Owl. {title}.\n   Proceedings. 2015.\n\n{PROSE[::-1]}\n### END SOLUTION"
    )
    (tmp_path / "checks").mkdir()
    found = collect({}, [reading(data)], (tmp_path / "checks").glob("*.py"))
    assert leaks(in_cell(f"B. Owl, {title}, 2015"), found) == ""
    assert leaks(in_cell(PROSE), found) != "" and leaks(in_cell(PROSE[::-1]), found) != ""


def test_a_mark_scheme_may_quote_its_own_statement_a_little(reading, tmp_path, found):
    quote_of = "which network each loss moves, and how the others are left alone"
    longer = f"{quote_of}, say so in your own words and give reasons for each of them"
    for text, leaks_it in ((quote_of, False), (longer, True)):
        data = notebook_of("vae-theory")
        find(data, "vae-theory--1a")["source"] = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        secrets = collect({}, [reading(data)], ())
        secrets.sentences.clear()
        own = notebook_of("vae-theory")
        find(own, "vae-theory--1a--statement")["source"] = f"### Owls\n\nTell {text}."
        own["cells"] = [find(own, "vae-theory--1a--statement")]
        assert bool(leaks({"1.ipynb": json.dumps(own).encode()}, secrets)) == leaks_it
        other = in_cell(f"Tell {text}.")
        assert leaks(other, secrets) != ""
