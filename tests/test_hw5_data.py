"""What the data sets and their batches promise to students and to the notebooks."""

import gzip
import urllib.error
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import hw5_data


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    """Every test runs on the digits that scikit-learn ships."""
    monkeypatch.setenv("HW5_DATA", "digits")


def test_torchvision_imports_beside_a_cpu_only_torch():
    """Does torchvision load, whichever torch stands beside it?"""
    assert hw5_data._torchvision().datasets.MNIST


class TestData:
    def test_images_and_labels_have_the_promised_form(self):
        images, labels = hw5_data.load_mnist()
        assert images.shape[1:] == (1, 28, 28) and images.dtype == torch.float32
        assert images.min() == 0 and images.max() == 1
        assert labels.shape == (len(images),) and labels.dtype == torch.int64
        assert sorted(labels.unique().tolist()) == list(range(10))

    def test_digits_lie_in_a_frame_like_mnists(self):
        """Is the border black, as it is in MNIST?"""
        images, _ = hw5_data.load_mnist()
        assert images[..., :4, :].max() == 0 and images[..., -4:].max() == 0

    def test_splits_do_not_overlap(self):
        train, _ = hw5_data.load_mnist("train", validation=5000)
        held, _ = hw5_data.load_mnist("validation", validation=5000)
        test, _ = hw5_data.load_mnist("test")
        assert len(held) == 125 and len(train) + len(held) + len(test) == 1797
        assert torch.equal(torch.cat((train, held)), hw5_data.load_mnist()[0])

    def test_rounding_and_limit(self):
        images, labels = hw5_data.load_mnist(binarize=True, limit=7)
        assert len(images) == len(labels) == 7
        assert set(images.unique().tolist()) == {0.0, 1.0}

    def test_unknown_split_is_named(self):
        with pytest.raises(ValueError, match="not 'valid'"):
            hw5_data.load_mnist("valid")

    def test_binary_set_is_flat_with_one_hot_labels(self):
        train, train_labels, test, test_labels = hw5_data.load_binary_mnist()
        assert train.shape == (1500, 784) and test.shape == (297, 784)
        assert train_labels.shape == (1500, 10) and test_labels.sum() == 297
        assert set(train.unique().tolist()) == {0.0, 1.0}

    def test_mnist_gives_numpy_bytes(self):
        arrays = hw5_data.mnist()
        assert [a.dtype for a in arrays] == [np.uint8] * 4
        assert arrays[0].shape == (1500, 28, 28) and arrays[3].shape == (297,)

    def test_unreachable_network_falls_back_with_one_line(self, tmp_path, monkeypatch, capsys):
        def refuse(*args, **kwargs):
            raise urllib.error.URLError("no route to host")

        monkeypatch.setattr("urllib.request.urlopen", refuse)
        hw5_data._read.cache_clear()
        for _ in range(2):
            images, _ = hw5_data.load_mnist(data=tmp_path / "data")
        assert len(images) == 1500
        out = capsys.readouterr().out
        assert out.count("\n") == out.count("WARNING") == 1
        assert "1,797 digits" in out and "could not be fetched" in out

    def test_photographs_stand_in_for_cifar10(self, tmp_path, monkeypatch, capsys):
        def refuse(*args, **kwargs):
            raise urllib.error.URLError("no route to host")

        monkeypatch.setattr("urllib.request.urlopen", refuse)
        hw5_data._read_cifar10.cache_clear()
        train, test = (hw5_data.load_cifar10(s, data=tmp_path / "data") for s in ("train", "test"))
        assert train.shape == (2116, 3, 32, 32) and test.shape == (436, 3, 32, 32)
        assert train.dtype == torch.float32 and 0 <= train.min() < 0.05 < 0.95 < train.max() <= 1
        assert 0.02 < train.var() < 0.1 and len(train.unique(dim=0)) > 2000
        out = capsys.readouterr().out
        assert out.count("\n") == out.count("WARNING") == 1
        assert "crops of two photographs" in out and "could not be fetched" in out

    def test_cifar10_is_read_plane_by_plane(self, tmp_path, monkeypatch):
        """Does the picture that torchvision gives as (32, 32, 3) come out as (3, 32, 32)?"""

        data = np.arange(2 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 32, 32, 3)
        sets = {"train": SimpleNamespace(data=data), "test": SimpleNamespace(data=data[:1])}
        monkeypatch.setattr(hw5_data, "_fetch", lambda name, folder: sets)
        images = hw5_data.load_cifar10(limit=1, data=tmp_path)
        assert images.shape == (1, 3, 32, 32) and images.is_contiguous()
        assert torch.equal((images[0, 2] * 255).round(), torch.tensor(data[0, :, :, 2]).float())

    def test_cifar10_names_an_unknown_split(self):
        with pytest.raises(ValueError, match="not 'valid'"):
            hw5_data.load_cifar10("valid")

    def test_idx_file_becomes_one_tensor(self, tmp_path):
        pixels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8)
        head = np.array([2051, 2, 28, 28], ">i4").tobytes()
        (tmp_path / "images.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
        data = hw5_data.GANDataset(tmp_path / "images.gz", "cpu", transform=lambda d: d / 255)
        assert data.d.shape == (2, 1, 28, 28) and len(data) == 2
        assert data[1].shape == (1, 28, 28) and data.d.max() == 1


class TestDownload:
    def test_fetches_once(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HW5_DATA", str(tmp_path / "data"))
        (tmp_path / "source").write_text("first")
        url = (tmp_path / "source").as_uri()
        assert hw5_data.download(url, "file").read_text() == "first"
        (tmp_path / "source").write_text("second")
        assert hw5_data.download(url, "file").read_text() == "first"
        assert [p.name for p in (tmp_path / "data").iterdir()] == ["file"]

    def test_interruption_leaves_nothing_behind(self, tmp_path, monkeypatch):
        def interrupt(source, target):
            target.write(b"half")
            raise KeyboardInterrupt

        monkeypatch.setenv("HW5_DATA", str(tmp_path / "data"))
        monkeypatch.setattr(hw5_data.shutil, "copyfileobj", interrupt)
        (tmp_path / "source").write_text("whole")
        with pytest.raises(KeyboardInterrupt):
            hw5_data.download((tmp_path / "source").as_uri(), "file")
        assert list((tmp_path / "data").iterdir()) == []


class TestBatches:
    images, labels = torch.arange(10.0).view(10, 1), torch.arange(10)

    def test_every_image_comes_once_beside_its_label(self):
        loader = hw5_data.batches(self.images, self.labels, batch_size=4)
        seen = list(loader)
        assert [len(x) for x, _ in seen] == [4, 4, 2] and len(loader) == 3
        assert all(torch.equal(x.flatten().long(), y) for x, y in seen)
        assert sorted(torch.cat([y for _, y in seen]).tolist()) == list(range(10))

    def test_each_pass_has_its_own_order(self):
        torch.manual_seed(0)
        loader = hw5_data.batches(self.images, batch_size=10)
        assert not torch.equal(next(iter(loader)), next(iter(loader)))

    def test_order_follows_the_seed(self):
        passes = []
        for _ in range(2):
            torch.manual_seed(3)
            passes.append(next(iter(hw5_data.batches(self.images, batch_size=10))))
        assert torch.equal(*passes)

    def test_short_batch_can_be_dropped(self):
        loader = hw5_data.batches(self.images, batch_size=4, shuffle=False, drop_last=True)
        assert [x.flatten().tolist() for x in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert len(loader) == 2

    def test_sizes_that_do_not_match_are_told(self):
        with pytest.raises(ValueError, match="10 images but 9 labels"):
            hw5_data.batches(self.images, self.labels[:9])
        with pytest.raises(ValueError, match="at least 1"):
            hw5_data.batches(self.images, batch_size=0)

    def test_batch_indices_start_over_after_the_last(self):
        assert hw5_data.batch_indices(7, num_batches=5, batch_size=100) == slice(200, 300)
