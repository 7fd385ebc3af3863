"""What a page said of itself is believed where it is an address alone."""

import pytest

from al_bench.annotation.page_holding import PageHolding
from al_bench.storage.asked import PAGE, announced_page


@pytest.mark.parametrize("address", ["http://[", "nowhere", "http://127.0.0.1:99999", "http://127.0.0.1:x"])
def test_a_corrupted_address_is_none(tmp_path, address):
    (tmp_path / PAGE).write_text(f'{{"address": "{address}", "process": 1}}')
    assert announced_page(tmp_path) is None
    (holding := PageHolding(tmp_path)).take()  # and another page opens
    assert holding.left_token is None
    holding.give_back()
    (tmp_path / PAGE).write_text('{"address": "http://127.0.0.1:8080/?token=x", "process": 1}')
    (holding := PageHolding(tmp_path)).take()
    assert holding.left_token == "x"
    holding.give_back()
