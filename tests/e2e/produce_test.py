#!/usr/bin/python3
"""produce_test.py -- batches that no client of ours would send.  WEIR_LOGD names the daemon."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from claims import main, same
from raw_calls import batch, client, ends, make

TRANSACTIONAL = 0x10
INVALID_MAPPING, NOT_AUTHORIZED = 49, 53


def test_a_batch_of_a_transaction_needs_one(daemon):
    c = client(daemon)
    make(c, "two", 2)
    # Without an id the request as a whole is refused, else each batch that has no transaction.
    for transaction, wanted in (None, [(NOT_AUTHORIZED, -1)] * 2), ("t", [(0, 0), (INVALID_MAPPING, -1)]):
        answer = c.ask("produce", 7, transactional_id=transaction, acks=-1, timeout_ms=10000, topic_data=[
            {"name": "two", "partition_data": [{"index": 0, "records": batch(b"v")},
                                               {"index": 1, "records": batch(b"v", TRANSACTIONAL)}]}])
        same([(p["error_code"], p["base_offset"]) for p in answer["responses"][0]["partition_responses"]],
             wanted, "codes")
    same(ends(c, "two", 0, 1), [1, 0], "where the partitions end")
    c.close()


def test_an_id_without_a_transaction_does_no_harm(daemon):
    c = client(daemon)
    answer = c.ask("produce", 7, transactional_id="t", acks=-1, timeout_ms=10000, topic_data=[
        {"name": "two", "partition_data": [{"index": 0, "records": batch(b"v")}]}])
    same(answer["responses"][0]["partition_responses"][0]["error_code"], 0, "code")
    c.close()


if __name__ == "__main__":
    main(globals())
