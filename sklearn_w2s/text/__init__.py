"""Texts as activations of language models; encoding needs the extra `text`."""

from sklearn_w2s.text._choices import multiple_choice_to_binary
from sklearn_w2s.text._encoder import LanguageModelEncoder

__all__ = ["LanguageModelEncoder", "multiple_choice_to_binary"]
