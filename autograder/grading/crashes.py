"""What an error of torch or Python means, in the words of somebody who writes networks."""

from __future__ import annotations

import re

IN_WORDS = "In words:"
LONGEST = 300  # characters that are looked at

MEANINGS = (
    (
        r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)",
        r"a Linear layer takes \2 numbers a row, and \1 come.",
    ),
    (
        r"weight of size \[.*\], expected input.* to have (\d+) channels, but got (\d+) channels",
        r"a convolution takes \1 channels, and \2 come.",
    ),
    (
        r"running_mean should contain (\d+) elements not (\d+)",
        r"a batch norm of \2 channels gets \1.",
    ),
    (
        r"shape '(\[.*\])' is invalid for input of size (\d+)",
        r"\2 numbers do not fill the shape \1.",
    ),
    (
        r"Provided sizes (\[.*\]) don't multiply up to the size of dim \d+ \((\d+)\)",
        r"\2 numbers do not fill the shape \1.",
    ),
    (
        r"Sizes of tensors must match except in dimension (\d+). Expected size (\d+) but got size "
        r"(\d+)",
        r"what is joined along dimension \1 has \2 and \3 numbers along another; they must be "
        "equal.",
    ),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at "
        r"non-singleton dimension (\d+)",
        r"two tensors of lengths \1 and \2 along dimension \3 meet; they must be equally long.",
    ),
    (
        r"all elements of (?:input|target) should be between 0 and 1",
        "binary cross-entropy takes two numbers in [0, 1], first the probability, then the label.",
    ),
    (
        r"element 0 of tensors does not require grad",
        "nothing that can learn leads to this loss: detach(), .data, .item() or no_grad() cut it "
        "off.",
    ),
    (
        r"Trying to backward through the graph a second time",
        "this loss has been used before: each step computes anew what the networks give, and then "
        "its loss.",
    ),
    (
        r"[Tt]arget size \(torch\.Size\((\[[\d, ]*\])\)\).{1,40} input size "
        r"\(torch\.Size\((\[[\d, ]*\])\)\)",
        r"labels of shape \1 meet predictions of shape \2; the two must have one shape.",
    ),
    (
        r"grad can be implicitly created only for scalar outputs",
        "backward() starts from one number: make one of the loss first, its mean or its sum.",
    ),
    (
        r"(?:same dtype, but got|Found dtype) (\w{1,20}) (?:and|but expected) (\w{1,20})",
        r"numbers of two kinds meet, \1 and \2; networks and images are of torch.float32.",
    ),
    (
        r"local variable '(\w{1,60})' (?:where it is not associated|referenced before)",
        r"\1 is used before a line of this function has given it a value.",
    ),
    (
        r"'NoneType' (?:object|and)|and 'NoneType'|not NoneType",
        "None comes here: what should have given a value returned nothing.",
    ),
    (
        r"'(dict|tuple|list)' object has no attribute|"
        r"unsupported operand type\(s\) for .{1,4}: '(?:Tensor|float|int)' and '(dict|tuple|list)'|"
        r"unsupported operand type\(s\) for .{1,4}: '(dict|tuple|list)' and",
        "several things come here, in a dict, a tuple or a list; take out the one that is meant.",
    ),
)
"""What torch or Python says, and what that is."""


def in_words(message: str) -> str:
    """The meaning of an error's message, or "". The message is whatever a student's code says."""
    for pattern, meaning in MEANINGS:
        if found := re.search(pattern, message[:LONGEST], re.DOTALL):
            return f"{IN_WORDS} {found.expand(meaning)}"
    return ""
