from __future__ import annotations

from ordergate.model.trials import ID_DIGITS, dataset_of, trial_id


def test_a_data_set_has_one_name_whatever_the_order_of_its_symbols() -> None:
    assert dataset_of("oanda", ("EURUSD",), "H1") == "oanda EURUSD H1"
    assert dataset_of("oanda", ("XAUUSD", "EURUSD"), "H1") == "oanda EURUSD+XAUUSD H1"


def test_the_same_trial_has_the_same_id_and_another_one_has_another() -> None:
    one = trial_id("fast=5", "bars", "costs", "1")
    assert one == trial_id("fast=5", "bars", "costs", "1")
    assert len(one) == ID_DIGITS
    others = {
        trial_id("fast=6", "bars", "costs", "1"),
        trial_id("fast=5", "other bars", "costs", "1"),
        trial_id("fast=5", "bars", "no costs", "1"),
        trial_id("fast=5", "bars", "costs", "2"),
        trial_id("fast=5bars", "", "costs", "1"),
    }
    assert len(others | {one}) == 6
