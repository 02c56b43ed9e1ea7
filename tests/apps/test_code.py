"""ygg.apps.code: codes, and what follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.apps.code import RANDOM, Code, CodeError

CODE = Code(bytes(range(RANDOM)))


def test_a_code_is_read_as_it_is_told_in_any_case_and_with_any_gaps() -> None:
    code = CODE.text
    for text in (code, code.upper(), code.replace("-", " "), code.replace("-", ""), f" {code}\n"):
        assert Code.parse(text).text == CODE.text


@given(st.binary(min_size=RANDOM, max_size=RANDOM))
def test_every_code_is_read_back(data: bytes) -> None:
    assert Code.parse(Code(data).text).text == Code(data).text


@given(st.text())
def test_nonsense_is_no_code(text: str) -> None:
    with pytest.raises(CodeError):
        Code.parse(text)


@pytest.mark.parametrize("text", [
    "", "lusab", CODE.text[:-1], f"{CODE.text}-babab", CODE.text.replace("a", "e"), "é" * 25,
])  # fmt: skip
def test_what_has_another_shape_is_none(text: str) -> None:
    with pytest.raises(CodeError, match="five groups of five letters"):
        Code.parse(text)


def test_a_letter_that_was_mistyped_is_told() -> None:
    letters = list(CODE.text)
    letters[0] = "z" if letters[0] != "z" else "d"
    with pytest.raises(CodeError, match="mistyped"):
        Code.parse("".join(letters))


def test_both_derive_the_same_and_a_proof_is_of_one_receiver() -> None:
    other = Code.parse(CODE.text)
    assert other.key == CODE.key
    assert other.proof(b"a" * 32) == CODE.proof(b"a" * 32) != CODE.proof(b"b" * 32)
    assert CODE.key.hex()[:64] not in CODE.proof(b"a" * 32)


def test_codes_are_new_and_their_repr_tells_nothing() -> None:
    one, two = Code.generate(), Code.generate()
    assert one.text != two.text
    assert repr(one) == "<Code>"
