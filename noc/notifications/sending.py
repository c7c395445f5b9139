"""One attempt over one channel, and what it means for the delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from noc.notifications import http, mail, messages, signature
from noc.notifications.messages import Message
from noc.notifications.targets import Unreachable
from noc.settings import Settings

_JSON = {"Content-Type": "application/json"}
_AGAIN = frozenset({408, 429})
"""Statuses of the 400s that say "not now" rather than "never"."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and what is needed to go there. ``simulated``: nothing may leave the machine."""

    channel: str
    simulated: bool
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """``sent``; ``again`` later, not before ``after`` seconds where the target says so; ``dead``.

    ``error`` is in our own words, without secrets. ``left``: to whom alone it is to be sent again,
    since the others have it.
    """

    outcome: Literal["sent", "again", "dead"]
    error: str | None = None
    after: float | None = None
    left: tuple[str, ...] = ()


def attempt(target: Target, message: Message, config: Settings, *, now: dt.datetime) -> Result:
    """Try once to send it. Never raises for what the other side does."""
    return _CHANNELS[target.channel](target, message, config, now)


def _email(target: Target, message: Message, config: Settings, now: dt.datetime) -> Result:
    if target.simulated:
        return Result("dead", "a simulated company sends no mail")
    if not config.smtp_url:
        return Result("dead", "no SMTP_URL is set")
    try:
        refused = mail.send(
            config.smtp_url,
            target.addresses,
            messages.subject(message),
            messages.mail_body(message, config.public_url),
            headers={signature.DELIVERY_HEADER: str(message.delivery_id)},
        )
    except mail.MailFailed as error:
        outcome: Literal["again", "dead"] = "dead" if error.permanent else "again"
        return Result(outcome, f"the mail server did not take it ({error})")
    count, every = refused.for_good + len(refused.for_now), len(target.addresses)
    if refused.for_now:
        told = f"the mail server refused {count} of {every}, {len(refused.for_now)} of them for now"
        return Result("again", told, left=refused.for_now)
    return Result("sent", f"the mail server refused {count} of {every}" if count else None)


def _slack(target: Target, message: Message, config: Settings, now: dt.datetime) -> Result:
    return _post(target, messages.slack_body(message, config.public_url), {}, config, now)


def _webhook(target: Target, message: Message, config: Settings, now: dt.datetime) -> Result:
    body = messages.webhook_body(message, config.public_url)
    headers = {
        signature.HEADER: signature.sign(target.secret, body, int(now.timestamp())),
        signature.DELIVERY_HEADER: str(message.delivery_id),
    }
    return _post(target, body, headers, config, now)


def _post(
    target: Target, body: bytes, headers: dict[str, str], config: Settings, now: dt.datetime
) -> Result:
    try:
        answer = http.post(
            target.url,
            body,
            _JSON | headers,
            private=config.notification_private_targets,
            loopback_only=target.simulated,
            now=now,
        )
    except Unreachable as error:
        return Result("dead" if error.permanent else "again", str(error))
    return judge(answer.status, answer.retry_after)


def judge(status: int, retry_after: float | None) -> Result:
    """What an HTTP status means: 2xx sent; 408, 429 and 5xx again; any other never."""
    if 200 <= status < 300:
        return Result("sent")
    if status in _AGAIN or status >= 500:
        return Result("again", f"answered {status}", retry_after)
    redirect = "; redirects are not followed" if 300 <= status < 400 else ""
    return Result("dead", f"answered {status}{redirect}")


_CHANNELS: dict[str, Callable[[Target, Message, Settings, dt.datetime], Result]] = {
    "email": _email,
    "slack": _slack,
    "webhook": _webhook,
}
