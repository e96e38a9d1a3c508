"""How an exchange can end, and the closed vocabulary of what went wrong.

Knows no HTTP and no wording: only whose fault a failure is (the prefix) and which it is.
"""

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """How an exchange ended; every exchange has exactly one."""

    COMPLETED = "completed"
    REJECTED = "rejected"  # turned down for the caller's fault or by policy, here or upstream
    UPSTREAM_ERROR = "upstream_error"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_CUT = "upstream_cut"
    CLIENT_GONE = "client_gone"  # never counts against a variant
    PROXY_ERROR = "proxy_error"


FAILED: Final = frozenset(
    {
        *(Outcome.UPSTREAM_ERROR, Outcome.UPSTREAM_TIMEOUT, Outcome.UPSTREAM_CUT),
        Outcome.PROXY_ERROR,
    }
)
JUDGED: Final = FAILED | {Outcome.COMPLETED}  # the rest is the caller's: rejected, or gone


class ErrorCode(StrEnum):
    """What went wrong, prefixed by whose fault it is; `internal_unknown` catches the rest."""

    CALLER_BAD_HTTP = "caller_bad_http"
    CALLER_BAD_JSON = "caller_bad_json"
    CALLER_BAD_REQUEST = "caller_bad_request"
    CALLER_BODY_TOO_LARGE = "caller_body_too_large"
    CALLER_HEAD_TOO_LARGE = "caller_head_too_large"
    CALLER_METHOD_NOT_ALLOWED = "caller_method_not_allowed"
    CALLER_NOT_FOUND = "caller_not_found"
    CALLER_REJECTED_UPSTREAM = "caller_rejected_upstream"  # the upstream's own 4xx
    CALLER_TIMEOUT = "caller_timeout"
    CALLER_UNAUTHORIZED = "caller_unauthorized"
    CALLER_UNKNOWN_MODEL = "caller_unknown_model"
    CALLER_UNKNOWN_VARIANT = "caller_unknown_variant"
    CALLER_UNSUPPORTED = "caller_unsupported"  # content encodings, Expect, upgrades
    CALLER_VARIANT_OFF = "caller_variant_off"
    POLICY_BUDGET_SPENT = "policy_budget_spent"
    POLICY_OVERLOADED = "policy_overloaded"
    POLICY_PARAMETER_LIMIT = "policy_parameter_limit"
    POLICY_REQUEST_LIMIT = "policy_request_limit"
    POLICY_ROUTE_FORBIDDEN = "policy_route_forbidden"
    POLICY_SHUTTING_DOWN = "policy_shutting_down"
    POLICY_TOKEN_LIMIT = "policy_token_limit"  # noqa: S105  # a code, no password
    PROVIDER_BAD_REPLY = "provider_bad_reply"
    PROVIDER_CONNECT_FAILED = "provider_connect_failed"
    PROVIDER_CONNECT_TIMEOUT = "provider_connect_timeout"
    PROVIDER_CUT = "provider_cut"
    PROVIDER_EJECTED = "provider_ejected"
    PROVIDER_FIRST_BYTE_TIMEOUT = "provider_first_byte_timeout"
    PROVIDER_IDLE_TIMEOUT = "provider_idle_timeout"
    PROVIDER_IN_BAND_ERROR = "provider_in_band_error"
    PROVIDER_NAME_UNKNOWN = "provider_name_unknown"
    PROVIDER_OVERLOADED = "provider_overloaded"  # our own limit on it: the queue timed out
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_STATUS = "provider_status"  # its 5xx
    PROVIDER_TLS = "provider_tls"
    PROVIDER_TOTAL_TIMEOUT = "provider_total_timeout"
    INTERNAL_UNKNOWN = "internal_unknown"
