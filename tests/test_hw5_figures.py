"""The figures: what they draw, and that they can be saved without a display."""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import hw5_figures as figures
from hw5_checkpoint import NotThereYet
from hw5_utils import array_to_image, concat_images, load_mnist


def pixels(figure) -> np.ndarray:
    """What a figure looks like: (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def drawn(axes) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


class TestImages:
    def test_sixteen_stand_four_by_four_row_by_row(self):
        images = torch.arange(16).view(16, 1, 1, 1).expand(16, 1, 28, 28) / 15
        grid = drawn(figures.image_grid(images).axes[0])
        assert grid.shape == (4 * 31 - 3, 4 * 31 - 3)
        assert grid[0, 31] == pytest.approx(1 / 15) and grid[31, 0] == pytest.approx(4 / 15)

    def test_range_and_colour(self):
        images = torch.full((2, 3, 32, 32), -1.0)
        images[1, 0] = 1
        grid = drawn(figures.image_grid(images, 2, low=-1, high=1).axes[0])
        assert grid.shape == (32, 67, 3)
        assert grid[0, 0].tolist() == [0, 0, 0] and grid[0, -1].tolist() == [1, 0, 0]

    def test_what_is_written_over_each(self):
        figure = figures.image_grid(torch.rand(3, 784), 3, over=["0", "1", "2"])
        assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "2"]

    def test_reconstructions_stand_above_their_originals(self):
        figure = figures.reconstruction_pairs(torch.zeros(5, 1, 28, 28), torch.full((5, 784), 0.5))
        axes = figure.axes[0]
        assert [t.get_text() for t in axes.get_yticklabels()] == ["reconstruction", "original"]
        assert drawn(axes)[0, 0] == 0.5 and drawn(axes)[-1, 0] == 0

    def test_rows_may_differ_in_length(self):
        rows = {"AE": torch.rand(7, 784), "VAE": torch.rand(5, 784)}
        axes = figures.labelled_rows(rows, under=list("abcdefg")).axes[0]
        assert drawn(axes)[-1, -1] == 1  # paper
        assert "".join(t.get_text() for t in axes.get_xticklabels()) == "abcdefg"

    def test_canvas_is_ink_on_paper(self):
        canvas = concat_images([array_to_image(torch.zeros(784))] * 33, 3, 11)
        figure = figures.canvas_figure(canvas, [f"{k / 10:g}" for k in range(11)], label="alpha")
        axes = figure.axes[0]
        assert axes.images[0].get_cmap().name == "Greys" and len(axes.get_xticks()) == 11
        assert pixels(figure)[5, 5].tolist() == [255, 255, 255]


class TestQuickSettings:
    def test_a_line_under_images_says_what_to_expect(self, monkeypatch):
        def note() -> str:
            return figures.image_grid(torch.rand(4, 784)).get_supxlabel()

        monkeypatch.delenv("HW5_QUICK", raising=False)
        assert note() == ""
        monkeypatch.setenv("HW5_QUICK", "1")
        assert "blurs and noise are to be expected" in note()
        assert figures.loss_curves({"loss": [1.0]}).get_supxlabel() == ""

    def test_without_any_losses_there_is_a_sentence(self):
        with pytest.raises(NotThereYet, match="There are no losses yet: run the cell that trains"):
            figures.loss_curves({"D": [], "G": []})


class TestPointsAndCurves:
    @pytest.mark.parametrize("dimensions", [1, 2, 5])
    def test_every_class_has_a_legend_entry_and_a_marker(self, dimensions):
        labels = torch.arange(100) % 10
        figure = figures.latent_scatter(torch.randn(100, dimensions), labels)
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == [str(k) for k in range(10)] and len(set(figures.MARKERS)) == 10
        assert figure.axes[0].get_xlabel() == "latent dimension 1"

    def test_smoothing_starts_at_the_first_value_and_forgets(self):
        assert figures.smooth([3.0]) == [pytest.approx(3.0)]
        assert figures.smooth([1.0, 2.0], 0.5) == pytest.approx([1, (0.25 + 1) / 0.75])
        assert figures.smooth([5.0, 7.0], 0) == [5, 7]
        assert figures.smooth([0.0] * 300 + [1.0] * 300)[-1] == pytest.approx(1, abs=1e-6)

    def test_curves_side_by_side_or_together(self):
        losses = {"reconstruction": [2.0, 1.0], "KL": [0.0, 1.0]}
        apart = figures.loss_curves(losses)
        assert [axes.get_ylabel() for axes in apart.axes] == ["reconstruction", "KL"]
        both = figures.loss_curves(losses, together=True)
        assert len({line.get_linestyle() for line in both.axes[0].lines}) == 2


class TestTraining:
    def test_samples_stand_beside_a_panel_for_each_loss_by_epoch(self, tmp_path):
        losses = {"D": [float(k) for k in range(1000)], "G": [0.5, 0.25]}
        figure = figures.training_figure(torch.rand(9, 784), losses, 100, "x, epoch 10 of 20")
        grid, d, g = figure.axes
        assert drawn(grid).shape == (3 * 31 - 3, 3 * 31 - 3)
        assert [axes.get_title() for axes in (d, g)] == ["D", "G"]
        x, y = d.lines[0].get_data()
        assert len(x) == 200 and x[-1] == 10 and y[0] == 2 and y[-1] == 997
        assert g.lines[0].get_xdata().tolist() == [0.01, 0.02]
        assert figure.get_suptitle() == "x, epoch 10 of 20"

    def test_how_far_off_a_training_began_does_not_flatten_its_curve(self):
        losses = {"loss": [500.0] * 5 + [1.0, 0.5] * 50}
        (panel,) = figures.training_figure(None, losses, None, "x").axes
        assert 0 < panel.get_ylim()[0] < 0.5 and 1 < panel.get_ylim()[1] < 1.2

    @pytest.mark.parametrize("losses", [{}, {"loss": []}, {"loss": [float("nan")] * 3}])
    def test_a_training_without_losses_or_gone_astray_is_drawn_too(self, losses, tmp_path):
        images = torch.full((4, 3, 32, 32), float("nan"))
        figures.training_figure(images, losses, 5, "x", tmp_path / "a.png")
        assert (tmp_path / "a.png").stat().st_size > 500


class TestClasses:
    def test_a_classifier_reads_digits_after_seconds(self):
        classifier = figures.train_classifier(*load_mnist(data="digits"))
        images, labels = load_mnist("test", data="digits")
        assert (figures.recognise(classifier, images) == labels).float().mean() > 0.85

    def test_rows_are_asked_and_columns_seen(self):
        counts = figures.confusion(torch.tensor([2, 2, 7]), torch.tensor([2, 3, 7]))
        assert counts[2, 2] == counts[2, 3] == counts[7, 7] == 1 and counts.sum() == 3
        axes = figures.confusion_figure(counts).axes[0]
        assert [t.get_text() for t in axes.texts] == ["50", "50", "100"]
        assert axes.get_ylabel() == "asked digit" and axes.get_title().startswith("66.7%")


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a.jpg"])
def test_saved_on_request_alone(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figures.image_grid(torch.rand(4, 784))
    assert list(tmp_path.iterdir()) == []
    figures.image_grid(torch.rand(4, 784), file=tmp_path / name)
    assert (tmp_path / name).stat().st_size > 1000


class TestPicture:
    """A picture that came with the coursework, in a notebook and out of it."""

    @pytest.fixture
    def home(self, tmp_path, monkeypatch) -> Path:
        """A folder as students have it, with hw5_figures.py and one picture."""
        folder = tmp_path / "pictures"
        folder.mkdir()
        given = Path(figures.__file__).parent / "notebooks" / "pictures" / "conv-gan--step.png"
        shutil.copy(given, folder)
        monkeypatch.setattr(figures, "__file__", str(tmp_path / "hw5_figures.py"))
        return tmp_path

    @pytest.fixture
    def shown(self, monkeypatch) -> list:
        """What a notebook is told to show: bundles and their metadata."""
        import IPython.display

        seen = []
        monkeypatch.setattr(figures, "_notebook", object)
        monkeypatch.setattr(
            IPython.display, "display", lambda bundle, **options: seen.append((bundle, options))
        )
        return seen

    def test_in_a_notebook_it_is_shown_at_half_its_pixels_with_its_caption(self, home, shown):
        figures.picture("conv-gan--step", "Who moves?")
        (image, options), (caption, _) = shown
        file = home / "pictures" / "conv-gan--step.png"
        assert base64.b64decode(image["image/png"]) == file.read_bytes()
        assert options["metadata"]["image/png"] == {"width": 900, "alt": "Who moves?"}
        assert caption["text/markdown"] == "Who moves?"

    def test_in_the_source_it_is_found_beside_the_notebooks(self, shown):
        figures.picture("conv-gan--step")
        assert len(shown) == 1

    def test_outside_a_notebook_it_says_where_the_file_lies(self, home, capsys):
        figures.picture("conv-gan--step", "Who moves?")
        file = home / "pictures" / "conv-gan--step.png"
        assert capsys.readouterr().out == f"See {file}\nWho moves?\n"

    def test_a_missing_file_is_a_sentence(self, home, shown, capsys):
        figures.picture("conv-gan--nothing")
        assert not shown
        assert "The picture conv-gan--nothing is not here" in capsys.readouterr().out
