"""Does the page say everything to the student, and do nothing else?"""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from autograder.export import feedback
from autograder.export.shared import harmless
from autograder.results import MANUAL, PASS, STATES, UNGRADABLE

VOID = {"meta"}
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section",
    "article", "div", "span", "p", "h1", "h2", "h3", "ul", "li", "a", "b", "i", "bdi", "code",
    "pre", "details", "summary",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "style"}


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its text, and whether all tags close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment survived: {data}")

    @property
    def text(self) -> str:
        """What is read on the page, spaces collapsed."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def read(assignment):
    """Renders a result and reads the page."""
    return lambda result: Page(feedback.page(result, assignment))


def assert_inert(page: Page) -> None:
    """No tag, attribute or address beyond the template's own."""
    assert not page.open
    for tag, attributes in page.tags:
        assert tag in KNOWN
        assert set(attributes) <= ATTRIBUTES | {"aria-hidden"}
        assert (attributes.get("href") or "#").startswith("#")
        if tag != "i":
            assert "style" not in attributes


def test_no_hostile_text_becomes_markup(read, hostile):
    """Do scripts, images, links and handlers come out as text?"""
    for result in hostile:
        page = read(result)
        assert_inert(page)
        assert f"Feedback for {harmless(result.id[:30])}" in page.text


def test_no_control_character_override_or_surrogate_survives(assignment, hostile):
    """Can a student's text neither hide nor reorder what is read?"""
    for result in hostile:
        html = feedback.page(result, assignment)
        assert all(char.isprintable() or char in "\n\t" for char in html)
        html.encode("utf-8")


def test_a_template_expression_in_a_message_is_not_evaluated(read, ended_as):
    """Is a message never a template?"""
    assert "{{ 7 * 7 }}" in read(ended_as("error", message="{{ 7 * 7 }}")).text


def test_endless_lines_and_lists_are_cut(assignment, full):
    """Does a page stay a page?"""
    result = replace(full, notes=("x" * 10**6,), ignored=tuple(f"file{n}" for n in range(5000)))
    html = feedback.page(result, assignment)
    assert len(html) < 60_000
    assert "and 4900 more" in html
    assert "998000 more characters" in html


def test_the_browser_is_told_to_load_and_run_nothing(read, full):
    """Is the policy there, before anything else?"""
    page = read(full)
    metas = [attributes for tag, attributes in page.tags if tag == "meta"]
    assert metas[1] == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'",
    }
    assert metas[2]["name"] == "viewport"


def test_full_marks_show_the_sum_the_bonus_apart_and_what_a_person_marks(read, full):
    """Does the top of the page add up?"""
    text = read(full).text
    assert "Feedback for ada" in text
    assert "13 of 13 points" in text
    assert "Bonus on top: 4 of 4, together 17." in text
    assert "Another 4 points are marked by hand and not counted here." in text
    assert "fc-vae.figures By hand of 4 Marked by hand" in text
    assert "4 of 4 bonus" in text
    assert "Seed 2024 " in text


def test_what_passed_is_folded_and_still_there(read, full):
    """Can a student see what was checked?"""
    page = read(full)
    assert "✓ 2 checks passed" in page.text
    assert "encoder is right. Passed, 4 of 4" in page.text
    assert [tag for tag, _ in page.tags].count("details") == 5


def test_bars_are_as_long_as_the_marks(read, ended_as):
    """Does the picture agree with the numbers?"""
    bars = [attributes["style"] for tag, attributes in read(ended_as("fail")).tags if tag == "i"]
    assert bars[:3] == ["width:85%", "width:80%", "width:100%"]  # 11 of 13, 8 of 10, 3 of 3


@pytest.mark.parametrize("state", [*STATES, "partial"])
def test_every_state_is_told_by_sign_and_word(read, ended_as, state):
    """Is no state told by colour alone?"""
    if state == "partial":
        page = read(ended_as("fail", fraction=0.5))
        assert "Partly right, 1 of 2" in page.text
    else:
        page = read(ended_as(state))
    sign, word = feedback.WORDS[state]
    assert f"{sign} bound is right. {word}" in page.text
    assert_inert(page)


@pytest.mark.parametrize("state", ["error", "timeout", "memory", "crashed"])
def test_an_abnormal_end_is_explained(read, ended_as, state):
    """Does a student who never saw a grader understand it?"""
    assert feedback.EXPLANATIONS[state] in read(ended_as(state)).text


def test_what_went_wrong_and_how_to_think_about_it_are_shown(read, ended_as):
    """Are message and hint there?"""
    text = read(ended_as("fail", message="The KL sign is flipped.", hint="KL is positive.")).text
    assert "Not right, 0 of 2 The KL sign is flipped." in text
    assert "How to think about it KL is positive." in text


def test_an_exception_keeps_its_lines_and_its_indentation(assignment, ended_as):
    """Can the student read the traceback?"""
    message = '\n  File "hw5_vae.py", line 3\r\n    x = 1 / 0\nZeroDivisionError\n'
    html = feedback.page(ended_as("error", message=message), assignment)
    lines = "  File &#34;hw5_vae.py&#34;, line 3\n    x = 1 / 0\nZeroDivisionError"
    assert f'<pre class="text">{lines}</pre>' in html


@pytest.mark.parametrize(
    ("waits_for", "words"),
    [
        ("encoder", "“encoder is right.” (encoder)"),
        ("fc-vae.networks", "“Title of fc-vae.networks” (fc-vae.networks)"),
        ("elsewhere", "which did not pass: elsewhere"),
        ("", "It builds on a check that did not pass"),
    ],
)
def test_a_skipped_check_names_what_it_waits_for(read, ended_as, waits_for, words):
    """Does the student know which check to repair first?"""
    assert words in read(ended_as("skipped", waits_for=waits_for)).text


def test_a_check_waits_for_the_one_of_its_own_question_when_names_repeat(read, full):
    """Is the right check named?"""
    changed = [
        replace(
            q,
            checks=(
                replace(q.checks[0], check="shapes", title=f"Shapes of {q.question}."),
                replace(q.checks[0], check="values", state="skipped", waits_for="shapes"),
            ),
        )
        for q in full.questions
        if q.checks
    ]
    text = read(replace(full, questions=tuple(changed))).text
    assert "did not pass: “Shapes of fc-vae.loss.” (shapes)" in text


def test_an_open_total_is_never_shown(read, class_of):
    """Does a page without a total say that it is held back?"""
    assert "Held back This is our fault" in read(replace(class_of[4], points=None)).text


def test_a_passed_check_with_a_message_is_not_folded(read, ended_as):
    """Is a remark on right work seen?"""
    text = read(ended_as(PASS, message="It ran on the CPU.")).text
    assert "bound is right. Passed, 2 of 2 It ran on the CPU." in text


def test_ungradable_is_our_fault_and_keeps_our_error_to_ourselves(read, ended_as):
    """Does the student learn that nothing is to be done, and nothing of our code?"""
    text = read(ended_as(UNGRADABLE, message="KeyError in the reference")).text
    assert "Held back This is our fault, not yours" in text
    assert "Held back of 2 This is our fault, not yours" in text
    assert "KeyError" not in text
    assert "11 of 13" not in text


@pytest.mark.parametrize("flag", ["conflict", "refused"])
def test_a_withheld_page_says_why_and_shows_no_marks(read, full, flag):
    """Is there nothing to infer a mark from?"""
    text = read(replace(full, flags=(flag,), notes=("bob names you too.",))).text
    assert "Withheld The marks of this submission are withheld" in text
    assert feedback.FLAGS[flag] in text
    assert "bob names you too." in text
    assert "13" not in text
    assert "checks passed" not in text


def test_withheld_goes_before_ungradable(read, ended_as):
    """Does a conflict hide marks even when we failed as well?"""
    text = read(replace(ended_as(UNGRADABLE), flags=("conflict",))).text
    assert "withheld" in text
    assert "8 of 8" not in text


@pytest.mark.parametrize("flag", feedback.FLAGS)
def test_every_flag_is_a_sentence(read, full, flag):
    """Does no student read a bare word?"""
    assert feedback.FLAGS[flag] in read(replace(full, flags=(flag,))).text


def test_an_unknown_flag_is_still_told(read, full):
    """Is a flag of a later version not lost?"""
    assert "The course staff will look at it: odd." in read(replace(full, flags=("odd",))).text


def test_an_empty_submission_has_a_page(read, class_of):
    """Does a page without questions stand?"""
    page = read(class_of[4])
    assert_inert(page)
    assert "0 of 13 points" in page.text


def test_ignored_files_are_listed(read, full):
    """Does the student see that a file was not looked at?"""
    text = read(replace(full, ignored=("thesis.docx",))).text
    assert "1 file was handed in but not asked for, and not looked at thesis.docx" in text


def test_a_mark_given_by_hand_is_shown(read, full):
    """Is a manual mark that is known not hidden?"""
    questions = [replace(q, points=3.0) if q.kind == MANUAL else q for q in full.questions]
    assert "3 of 4" in read(replace(full, questions=tuple(questions))).text


def test_members_of_a_group_are_named(assignment, full):
    """Do both members find themselves?"""
    html = feedback.page(replace(full, members=("ada", "gus")), assignment)
    assert "Handed in by <bdi>ada</bdi>, <bdi>gus</bdi>" in html


def _anonymous(assignment, *part_ids):
    parts = [replace(part, anonymous=part.id in part_ids) for part in assignment.parts]
    return replace(assignment, parts=tuple(parts))


def test_a_page_of_an_anonymous_part_alone_shows_no_name(assignment, full):
    """Does a part that is not graded here give the author away?"""
    pair = replace(full, members=("ada", "gus"))
    of_vae = replace(pair, questions=tuple(q for q in full.questions if "fc-vae." in q.question))
    one = _anonymous(assignment, "fc-vae")
    assert "gus" not in feedback.page(of_vae, one)
    assert "gus" in feedback.page(pair, one)
    assert "gus" in feedback.page(of_vae, _anonymous(assignment, "fc-gan"))


def test_an_anonymous_page_shows_no_name_but_the_id(assignment, ended_as):
    """Can a marker not tell whose page it is?"""
    result = replace(
        ended_as("error", name="s17", message='File "/home/jdoe2/hw5_vae.py", jd'),
        members=("jdoe2", "jd", "s17"),
        notes=("The netid file names JDOE2 and karl.",),
        ignored=("jdoe2_report.docx",),
    )
    html = feedback.page(result, _anonymous(assignment, "fc-vae", "fc-gan"))
    assert "jdoe2" not in html.lower()
    assert "karl" not in html
    assert "/home/[name]/hw5_vae.py&#34;, [name]" in html
    assert "Feedback for <bdi>s17</bdi>" in html


def test_a_page_a_student_is_written_whatever_the_order(tmp_path, assignment, class_of):
    """Are the pages a function of the results alone?"""
    feedback.write(class_of, assignment, tmp_path / "one")
    feedback.write(reversed(class_of), assignment, tmp_path / "two")
    pages = sorted((tmp_path / "one" / "feedback").iterdir())
    assert [page.name for page in pages] == [f"{result.id}.html" for result in class_of]
    for page in pages:
        assert page.read_bytes() == (tmp_path / "two" / "feedback" / page.name).read_bytes()
