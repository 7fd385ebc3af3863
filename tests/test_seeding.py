import torch

from al_bench import seeding


def test_streams_differ_by_seed_cycle_and_purpose():
    seeds = {seeding.seed_for(s, c, p) for s in range(5) for c in range(5) for p in ("fit", "query", "initial")}
    assert len(seeds) == 75
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_stream_is_a_pure_function():
    """Written down: another value would change every stored run."""
    assert seeding.seed_for(0, 0, "fit") == seeding.seed_for(0, 0, "fit") == 4377795569255633308


def test_a_fork_draws_by_its_seed_and_leaves_the_outside_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeding.fork(1):
        inside = torch.rand(100)
    assert torch.equal(torch.rand(3), expected)
    with seeding.fork(1):
        assert torch.equal(torch.rand(100), inside)


def test_more_draws_in_one_stream_move_no_other():
    def cycle(extra: int) -> torch.Tensor:
        with seeding.fork(seeding.seed_for(0, 1, "fit")):
            torch.rand(10 + extra)
        return torch.rand(4, generator=seeding.generator(seeding.seed_for(0, 1, "query")))

    assert torch.equal(cycle(0), cycle(1000))
