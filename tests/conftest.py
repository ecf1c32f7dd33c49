from pathlib import Path

import pytest

from layout import make_deam

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture
def double():
    """Tensors of float64."""
    import torch

    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def real_deam() -> Path:
    """The slice of the real DEAM, which is not part of the repository."""
    if not (SHARED / "deam" / "annotations").is_dir():
        pytest.skip("needs a copy of DEAM in ../shared/deam, which is not part of the repository")
    return SHARED / "deam"


@pytest.fixture
def deam(tmp_path: Path) -> Path:
    """Eleven songs of random curves in DEAM's layout, whole and without a defect."""
    make_deam(tmp_path / "DEAM")
    return tmp_path / "DEAM"
