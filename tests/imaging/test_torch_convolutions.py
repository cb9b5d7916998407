"""oneDNN's convolutions in place of those that torch would pick."""

import pytest
import torch
from torch import nn

from sr_ops.imaging.torch_convolutions import OneDnnConvolutions

LAYERS = {
    "plain": nn.Conv2d(4, 8, 3),
    "no_bias": nn.Conv2d(4, 8, 3, padding=1, bias=False),
    "much_padding": nn.Conv2d(4, 8, (9, 5), padding=(4, 2)),
    "same": nn.Conv2d(4, 8, (11, 3), padding="same"),
    "stride": nn.Conv2d(4, 8, 9, padding=4, stride=2),
    "dilation": nn.Conv2d(4, 8, 5, padding=8, dilation=4),
    "groups": nn.Conv2d(4, 8, 9, padding=4, groups=2),
    "pointwise": nn.Conv2d(4, 8, 1),
    "transposed": nn.ConvTranspose2d(4, 8, 4, stride=2),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS.keys())
def test_they_are_the_same_convolutions(layer, dtype):
    layer = layer.to(dtype)
    x = torch.rand(1, 4, 17, 19, dtype=dtype)
    with torch.no_grad():
        expected = layer(x)
        with OneDnnConvolutions():
            result = layer(x)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-6)


def test_what_is_no_picture_is_left_alone():
    layer, x = nn.Conv1d(4, 8, 9, padding=4), torch.rand(1, 4, 30)
    with torch.no_grad(), OneDnnConvolutions():
        result = layer(x)
    torch.testing.assert_close(result, layer(x), rtol=0, atol=0)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
@pytest.mark.parametrize("kernel", [1, 3, 5, 9])
def test_a_part_has_the_bits_of_the_whole(kernel):
    """The parts are below the 20480 elements up to which torch does without oneDNN."""
    torch.manual_seed(0)
    x = torch.rand(1, 32, 60, 70)
    layer = nn.Conv2d(32, 16, kernel, padding=kernel // 2)
    margin = kernel // 2
    with torch.no_grad(), OneDnnConvolutions():
        whole = layer(x)
        for height, width in ((17, 19), (24, 25), (30, 20)):
            part = layer(x[..., 5 : 5 + height, 7 : 7 + width].contiguous())
            rows = slice(margin, height - margin)
            columns = slice(margin, width - margin)
            assert torch.equal(part[..., rows, columns], whole[..., 5:, 7:][..., rows, columns])


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
@pytest.mark.parametrize("kernel", [3, 5, 9])
@pytest.mark.parametrize("width", [1, 3])
def test_a_part_of_a_strip_has_the_bits_of_the_whole(kernel, width):
    torch.manual_seed(0)
    x = torch.rand(1, 32, 370, width)
    layer = nn.Conv2d(32, 1, kernel, padding=kernel // 2)
    margin = kernel // 2
    with torch.no_grad(), OneDnnConvolutions():
        whole, part = layer(x), layer(x[:, :, 165:342].contiguous())
    assert torch.equal(part[:, :, margin:-margin], whole[:, :, 165 + margin : 342 - margin])
