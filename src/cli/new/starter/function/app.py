"""Greets by name.

The event is ``{"name": "..."}``; the answer is ``{"greeting": "..."}``. An error whose message starts with a status in
brackets, such as ``[400]``, is answered with that status by the API.
"""


def handler(event, context):
    """Lambda's entry."""
    name = event.get("name", "").strip()
    if not name:
        raise ValueError("[400] Say whom to greet in `name`")
    return {"greeting": f"Hello, {name}!"}
