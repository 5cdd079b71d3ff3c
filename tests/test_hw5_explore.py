"""The look into the codes: what is decoded where, and that looking changes nothing."""

import math
import sys

import ipywidgets
import numpy as np
import pytest
import torch
from torch import nn

from hw5_explore import Space, code_grid, explore, side_by_side
from hw5_figures import one_picture


def grey(z: torch.Tensor) -> torch.Tensor:
    """Images (N, 784) as bright as the first number of their code."""
    return z[:, :1].expand(-1, 784)


class Net(nn.Module):
    """A decoder that notes what it reads and whether it trains."""

    def __init__(self, low: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.low, self.seen = low, []

    def forward(self, z, *c):
        self.seen.append((z, *c, self.training))
        return self.weight * torch.full((len(z), 1, 28, 28), self.low)


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would display."""
    outputs: list = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    return outputs


def test_the_grid_stands_over_the_quantiles_of_the_prior():
    net = Net()
    axes = code_grid(net, 20).axes[0]
    codes = net.seen[0][0].view(20, 20, 2)
    shares = 0.5 * (1 + torch.erf(codes / math.sqrt(2)))
    steps = (torch.arange(20) + 0.5) / 20
    assert torch.allclose(shares[..., 0], steps.expand(20, 20), atol=1e-5)  # from left to right
    assert torch.allclose(shares[..., 1], steps.flip(0).view(20, 1).expand(20, 20), atol=1e-5)
    assert np.asarray(axes.images[0].get_array()).shape == (560, 560)


def test_the_grid_puts_each_image_where_its_code_is():
    def decoder(z):
        return torch.sigmoid(z[:, :1] + 10 * z[:, 1:]).expand(-1, 784)

    canvas = np.asarray(code_grid(decoder, 5).axes[0].images[0].get_array())
    assert canvas[0, 0] > 0.9 and canvas[-1, -1] < 0.1  # high codes stand above
    middle = canvas[70]
    assert (np.diff(middle[14::28]) > 0).all()


def test_a_code_moves_along_a_number_or_towards_another_draw():
    space = Space(grey, 5)
    moves = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    start, a, _ = space.draws()
    images = space.images("towards A", "z[0]", moves)
    assert torch.allclose(images[:, 0], torch.stack((start[0], a[0], start[0] + 3)))


def test_uniform_codes_never_leave_their_cube():
    net = Net()
    space = Space(net, 4, prior="uniform")
    space.images("z[1]", "towards B", torch.tensor([[1.0, 1.0], [-1.0, -1.0]]))
    assert net.seen[0][0].abs().max() <= 1 and net.seen[0][0].abs()[:, 1].max() == 1


def test_two_dimensions_begin_in_the_middle():
    assert Space(grey, 2).start().tolist() == [0, 0]
    assert Space(grey, 2, seed=1).start().tolist() != [0, 0]


def test_a_conditional_decoder_is_told_the_class():
    net = Net()
    Space(net, 3, classes=10).images("z[0]", "z[1]", torch.zeros(4, 2), c=7)
    assert net.seen[0][1].tolist() == [7] * 4


def test_a_decoder_may_read_code_and_class_side_by_side():
    net = Net()
    explored = Space(side_by_side(net), 3, classes=10)
    explored.images("z[0]", "z[1]", torch.zeros(2, 2), c=4)
    read = net.seen[0][0]
    assert torch.equal(read[:, :3], explored.start().expand(2, 3))
    assert read[:, 3:].argmax(1).tolist() == [4, 4] and read.shape == (2, 13)


def test_images_after_a_tanh_are_brought_to_0_and_1():
    for low, seen in ((-1.0, 0), (1.0, 1)):
        images = Space(Net(low), 3, low=-1.0).images("z[0]", "z[1]", torch.zeros(1, 2))
        assert images.unique().tolist() == [seen]


def test_looking_changes_neither_the_model_nor_the_random_stream(shown):
    net = Net()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    explore(net, 4)
    code_grid(Net(), 3)
    assert torch.equal(torch.rand(4), expected)
    assert net.training and not any(seen[-1] for seen in net.seen)


def sliders(shown) -> tuple:
    """The picture and the controls."""
    picture, controls = shown[-1].children
    return picture, [w for row in controls.children for w in getattr(row, "children", (row,))]


def test_sliders_and_button_draw_anew(shown):
    explore(grey, 6, prior="uniform", low=-1.0)
    assert len(shown) == 2
    picture, (across, move, _, _, another) = sliders(shown)
    pictures = [bytes(picture.value)]
    across.value = "z[0]"
    for step in (-1.0, 1.0):
        move.value = step
        pictures.append(bytes(picture.value))
    move.value = 0.0
    another.click()
    pictures.append(bytes(picture.value))
    assert len(set(pictures)) == 4 and all(one.startswith(b"\x89PNG") for one in pictures)


def test_a_conditional_model_has_a_slider_for_its_class(shown):
    net = Net()
    explore(net, 3, classes=10)
    label = next(w for w in sliders(shown)[1] if isinstance(w, ipywidgets.IntSlider))
    label.value = 9
    assert label.max == 9 and net.seen[-1][1].tolist() == [9]


def test_without_widgets_the_map_stays_and_a_line_says_how(shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    explore(grey, 3)
    assert len(shown) == 1 and "pip install ipywidgets" in capsys.readouterr().out


def test_another_prior_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match='"normal" or "uniform", not \'gamma\''):
        explore(grey, 3, prior="gamma")


def test_a_picture_is_large_and_sharp():
    from io import BytesIO

    from matplotlib.image import imread

    image = torch.zeros(1, 1, 28, 28)
    image[..., 0, 0] = 1
    pixels = imread(BytesIO(one_picture(image)))
    assert pixels.shape[:2] == (224, 224)
    assert pixels[:8, :8, 0].min() == 1 and pixels[8:, :, 0].max() == 0
    assert imread(BytesIO(one_picture(torch.rand(1, 3, 32, 32)))).shape[:2] == (224, 224)
