import os
from importlib.util import find_spec

import pytest

# Read when transformers is first imported: tests must not reach for the network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

N_POSITIONS = 64
WORDS = "a cat and the dog saw red blue sky sun over some house"

NEED_THE_EXTRA = [
    *("activations", "common", "encoder", "experiment", "guide", "weights"),
]
collect_ignore = []
if find_spec("transformers") is None:
    collect_ignore += [f"test_{name}.py" for name in NEED_THE_EXTRA]


def save_tokenizer(folder, *, kind):
    """Save a tokenizer, like that of GPT-2 or like that of BERT."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    if kind == "causal":
        special = {
            "eos_token": "<end>",
            "model_input_names": ["input_ids", "attention_mask"],
        }
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<end>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    else:
        special = {
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
        }
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer = trainers.WordPieceTrainer(
            vocab_size=120, special_tokens=list(special.values()), show_progress=False
        )
    tokenizer.train_from_iterator([WORDS], trainer)
    if kind == "encoder":
        ends = [(name, tokenizer.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
        tokenizer.post_processor = processors.BertProcessing(*ends)
    saved = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=N_POSITIONS, **special
    )
    saved.save_pretrained(folder)
    return len(saved)


def save_model(folder, *, kind, width=16, seed=0):
    """Save a model of random weights, and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

    n_tokens = save_tokenizer(folder, kind=kind)
    torch.manual_seed(seed)
    if kind == "causal":
        config = GPT2Config(
            vocab_size=n_tokens,
            n_positions=N_POSITIONS,
            n_embd=width,
            n_layer=2,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
        )
        model = GPT2Model(config)
    else:
        config = BertConfig(
            vocab_size=n_tokens,
            max_position_embeddings=N_POSITIONS,
            hidden_size=width,
            intermediate_size=width,
            num_hidden_layers=2,
            num_attention_heads=2,
        )
        model = BertModel(config)
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def causal(tmp_path_factory):
    """Folder of a causal model with absolute positions and without padding token."""
    return save_model(tmp_path_factory.mktemp("causal"), kind="causal")


@pytest.fixture(scope="session")
def larger(tmp_path_factory):
    """Folder of a wider causal model."""
    return save_model(tmp_path_factory.mktemp("larger"), kind="causal", width=48)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """Folder of an encoder."""
    return save_model(tmp_path_factory.mktemp("encoder"), kind="encoder")
