"""Compile: what the file says becomes the settings in force.

By now everything is checked; nothing here can fail on what a person wrote.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
from pydantic import ValidationError

from proxy.config import schema, settings
from proxy.config.check import check
from proxy.config.fields import DEFAULT_PORTS, address, split_url
from proxy.config.routes.table import routing_table
from proxy.config.rules import window_rules
from proxy.config.wording import refused, worded
from proxy.errors import ConfigError
from proxy.pricing import Budget, Prices, Scope

DEFAULT_PREFIX = "/v1"
MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def load_settings(file: str, environ: Mapping[str, str]) -> settings.Settings:
    """Return the settings that `file` asks for, or raise ConfigError with every problem."""
    return compile_settings(load_file(file, environ), Path(file).parent)


def load_file(file: str, environ: Mapping[str, str], content: bytes | None = None) -> schema.File:
    """Return what `file` says, or raise ConfigError with every problem.

    `content` is looked at instead of what stands in the file now.
    """
    checked = check(file, environ, content)
    if checked.file is None:
        raise refused(file, [str(problem) for problem in checked.problems])
    return checked.file


def file_for_upstream(url: str) -> schema.File:
    """Return a file that forwards everything to `url` as it is; ConfigError: it is none."""
    try:
        return schema.File.model_validate(
            {
                "upstreams": {"default": {"base_url": url, "list_models": True}},
                "default_upstream": "default",
                "pass_unknown_models": True,
            }
        )
    except ValidationError as error:
        found = error.errors()[0]
        reason, remedy = worded(found["type"], ("base_url",), found.get("ctx", {}))
        raise ConfigError(f"the upstream's URL {reason}; {remedy}") from None


def compile_settings(file: schema.File, folder: Path, version: int = 1) -> settings.Settings:
    """Return `file` as settings, its routing under `version`; paths in it start at `folder`."""
    host, port = address(file.listen)
    admin_host, admin_port = address(file.admin.listen)
    return settings.Settings(
        data_plane=_data_plane(file, folder, version),
        alerts=_alerts(file),
        quality=_quality(file),
        costs=_costs(file),
        listen_host=host,
        listen_port=port,
        admin_host=admin_host,
        admin_port=admin_port,
        admin_names=tuple(file.admin.names),
        admin_tokens=tuple(_token(*item) for item in file.admin.tokens.items()),
        data_dir=str(folder / file.data_dir),
        host=file.host,
        revision=file.revision,
        store=None if file.store is None else settings.StoreSettings(**file.store.model_dump()),
        tls=_tls(file.tls, folder),
        workers=file.workers,
        drain_seconds=file.drain_seconds,
        drain_grace_seconds=file.drain_grace_seconds,
        log_format=file.log.format,
        log_exchanges=file.log.exchanges,
        tracing=_tracing(file.tracing),
    )


def _data_plane(file: schema.File, folder: Path, version: int) -> settings.DataPlane:
    previews = file.previews or schema.Previews(chars=0)
    return settings.DataPlane(
        table=routing_table(file, version),
        upstreams={name: _upstream(name, each, folder) for name, each in file.upstreams.items()},
        keys=tuple(_key(slot, *item) for slot, item in enumerate(file.keys.items())),
        limits=settings.Limits(**file.limits.model_dump()),
        deadlines=settings.Deadlines(**file.deadlines.model_dump()),
        previews=settings.Previews(chars=previews.chars, redact=tuple(previews.redact)),
        workers=file.workers,
        count_tokens=file.count_tokens,
        judge_replies=file.quality is not None,
        bodies={
            name: _bodies(each.store) for name, each in file.routes.items() if each.store.bodies
        },
        trace_share=None if file.tracing is None else file.tracing.sample_percent / 100,
    )


def _bodies(said: schema.RouteStore) -> settings.BodySettings:
    return settings.BodySettings(
        sample=said.sample, max_bytes=said.max_kb * schema.KIB, redact=tuple(said.redact)
    )


def _upstream(name: str, upstream: schema.Upstream, folder: Path) -> settings.UpstreamSettings:
    url = split_url(upstream.base_url)
    plain = upstream.model_dump(exclude={"base_url", "timeouts", "ca_file", "proxy"})
    return settings.UpstreamSettings(
        name=name,
        scheme=url.scheme,
        host=url.hostname or "",
        port=url.port or DEFAULT_PORTS[url.scheme],
        prefix=url.path.rstrip("/") if url.path else DEFAULT_PREFIX,
        timeouts=settings.Timeouts(**upstream.timeouts.model_dump()),
        ca_file=upstream.ca_file and str(folder / upstream.ca_file),
        proxy=upstream.proxy and upstream.proxy.rstrip("/"),
        **plain,
    )


def _key(slot: int, name: str, key: schema.Key) -> settings.ClientKey:
    return settings.ClientKey(
        name=name,
        sha256=key.sha256,
        slot=slot,
        requests_per_minute=key.requests_per_minute,
        tokens_per_minute=key.tokens_per_minute,
        routes=None if key.routes is None else tuple(key.routes),
    )


def _token(name: str, token: schema.Token) -> settings.AdminToken:
    return settings.AdminToken(name=name, sha256=token.sha256, role=token.role)


def _tls(tls: schema.Tls | None, folder: Path) -> settings.Tls | None:
    if tls is None:
        return None
    return settings.Tls(certificate=str(folder / tls.certificate), key=str(folder / tls.key))


def _tracing(said: schema.Tracing | None) -> settings.Tracing | None:
    if said is None:
        return None
    return settings.Tracing(**said.model_dump(exclude={"sample_percent"}))


def _alerts(file: schema.File) -> settings.Alerts:
    default = _thresholds(file.alerts, settings.AlertThresholds())
    windows, own = window_rules(file)
    return settings.Alerts(
        default=default,
        routes={
            name: _thresholds(route.alerts, default)
            for name, route in file.routes.items()
            if route.alerts.model_fields_set
        },
        windows=windows,
        window_routes=own,
        notify=_notify(file.alerts.notify),
    )


def _notify(said: schema.Notify) -> settings.Notify:
    plain = said.model_dump()
    if said.email is not None:
        plain["email"]["port"] = said.email.port or MAIL_PORTS[said.email.security]
    return msgspec.convert(plain, settings.Notify)


def _quality(file: schema.File) -> settings.Quality:
    alerts = _alerts(file)
    nothing = schema.Quality(signals=None, check_percent=None)
    general = _looks(file.quality, nothing, alerts.default, None)
    routes = {} if file.quality is None else file.routes
    return settings.Quality(
        default=general,
        routes={
            name: _looks(
                route.quality,
                file.quality or nothing,
                alerts.routes.get(name, alerts.default),
                route.format,
            )
            for name, route in routes.items()
            if {"alerts", "quality", "format"} & route.model_fields_set
        },
    )


def _costs(file: schema.File) -> settings.Costs:
    prices = {name: _prices(route) for name, route in file.routes.items()}
    routes = (_budget("route", name, each.budget) for name, each in file.routes.items())
    keys = (_budget("key", name, each.budget) for name, each in file.keys.items())
    return settings.Costs(
        prices={name: said for name, said in prices.items() if said},
        budgets=tuple(each for each in (*routes, *keys) if each is not None),
    )


def _prices(route: schema.Route) -> dict[str, Prices]:
    return {
        name: Prices(**each.prices.model_dump())
        for name, each in route.variants.items()
        if each.prices is not None
    }


def _budget(scope: Scope, name: str, said: schema.Spend | None) -> Budget | None:
    return None if said is None else Budget(scope=scope, name=name, **said.model_dump())


def _looks(
    said: schema.Quality | None,
    otherwise: schema.Quality,
    alert: settings.AlertThresholds,
    form: schema.Format | None,
) -> settings.Looks:
    default = settings.Looks()
    chars = alert.short_reply_chars
    if chars is None:  # the alert is off, and that is no word on what is short
        chars = default.short_reply_chars
    if said is None:
        return settings.Looks(signals=(), short_reply_chars=chars, check_percent=0.0)
    signals = otherwise.signals if said.signals is None else said.signals
    percent = otherwise.check_percent if said.check_percent is None else said.check_percent
    return settings.Looks(
        signals=None if signals is None else tuple(signals),
        short_reply_chars=chars,
        form=None if form is None else _form(form),
        check_percent=default.check_percent if percent is None else percent,
    )


def _form(form: schema.Format) -> settings.Form:
    written = None if form.json_schema is None else json.dumps(form.json_schema).encode()
    return settings.Form(json_schema=written, regex=form.regex, max_chars=form.max_chars)


def _thresholds(
    said: schema.Alerts | schema.RouteAlerts, otherwise: settings.AlertThresholds
) -> settings.AlertThresholds:
    slow, short = otherwise.slow_latency_ms, otherwise.short_reply_chars
    if "slow" in said.model_fields_set:
        slow = None if said.slow is None else said.slow.latency_ms
    if "short" in said.model_fields_set:
        short = None if said.short is None else said.short.reply_chars
    return settings.AlertThresholds(slow_latency_ms=slow, short_reply_chars=short)
