from importlib.util import find_spec

collect_ignore_glob = []

if find_spec("torch") is None or find_spec("skorch") is None:
    collect_ignore_glob.append("test_*.py")
else:
    import torch

    torch.set_num_threads(1)
