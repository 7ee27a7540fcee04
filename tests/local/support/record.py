"""Notes which operations botocore carried out: those that were answered, and of those that stream, the ones read to the end."""

import botocore.client
import botocore.eventstream

driven = {}
_call = botocore.client.BaseClient._make_api_call
_events = botocore.eventstream.EventStream.__iter__
_streams = {}


def _note(service, operation):
    driven.setdefault(service, set()).add(operation)


def _make_api_call(client, operation, arguments):
    answer = _call(client, operation, arguments)
    service = client.meta.service_model.service_name
    streams = [value for value in answer.values() if isinstance(value, botocore.eventstream.EventStream)]
    for stream in streams:
        _streams[id(stream)] = (stream, service, operation)
    if not streams:
        _note(service, operation)
    return answer


def _read(stream):
    yield from _events(stream)
    if known := _streams.pop(id(stream), None):
        _note(*known[1:])


botocore.client.BaseClient._make_api_call = _make_api_call
botocore.eventstream.EventStream.__iter__ = _read
