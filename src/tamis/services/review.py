"""Samples and their answers as they stand in their topics, and what follows from them.

Rules: the last label of a sample counts; a label without a sample (its retention has passed) counts in nothing. Reading
is from the beginning of both topics; memory grows with the samples kept, some hundred bytes each.
"""

import time
from collections.abc import Iterator

from tamis.domain.tagging_error import Answered, Report, report
from tamis.kafka.loading import Loader, Outgoing
from tamis.kafka.reader import read_topic
from tamis.records.review import Label, Sample, decode_label, decode_sample, encode_review
from tamis.records.topics import Topic
from tamis.settings import Settings


class ReviewBook:
    """What is known; feed it the records of both topics in any order.

    Attributes:
        samples: id -> sample.
        labels: id -> the last label.
    """

    def __init__(self) -> None:
        self.samples: dict[str, Sample] = {}
        self.labels: dict[str, Label] = {}

    def sampled(self, value: bytes | None) -> None:
        """A record of ``review.samples``."""
        found = decode_sample(value)
        if found is not None:
            self.samples[found.id] = found

    def labelled(self, value: bytes | None) -> None:
        """A record of ``review.labels``."""
        found = decode_label(value)
        if found is not None:
            self.labels[found.sample] = found

    def open(self) -> Iterator[Sample]:
        """Samples without an answer, the oldest first."""
        return (each for each in self.samples.values() if each.id not in self.labels)

    def report(self, target: float) -> Report:
        """The estimate from all answers."""
        answered = []
        for each in self.samples.values():
            label = self.labels.get(each.id)
            answered.append(Answered(each.rule, each.per_million, None if label is None else label.rule))
        return report(answered, target)


def read_book(settings: Settings) -> ReviewBook:
    """Both topics as they are now.

    Raises:
        SetupError: a topic is missing.
        UnreachableError: the cluster does not answer.
    """
    book = ReviewBook()
    for record in read_topic(settings.kafka, settings.topic(Topic.REVIEW_SAMPLES)):
        book.sampled(record.value)
    for record in read_topic(settings.kafka, settings.topic(Topic.REVIEW_LABELS)):
        book.labelled(record.value)
    return book


def write_labels(settings: Settings, answers: dict[str, str]) -> None:
    """Sample id -> rule it should have been tagged with, "" for none.

    Raises:
        LoadError: the cluster did not take them.
    """
    now = time.time_ns() // 1_000_000
    labels = [Label(sample=sample, rule=rule, at=now) for sample, rule in answers.items()]
    with Loader(settings.kafka, linger_ms=0) as loader:
        records = [Outgoing(0, each.sample.encode(), encode_review(each)) for each in labels]
        loader.load(settings.topic(Topic.REVIEW_LABELS), records)
