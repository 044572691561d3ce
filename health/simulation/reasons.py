"""Why people say they leave: the eight cancellation reasons, drawn from what the account went through."""

from __future__ import annotations

import numpy as np

from health.simulation.lanes import NEVER, Bools, Floats, Lanes

REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
    "other",
)

COMMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "customer_service": (
            "We waited days for an answer each time something was urgent.",
            "Every reply asked for the same screenshots again.",
        ),
        "low_quality": (
            "Reports broke after the last two updates and our Monday numbers were wrong.",
            "Sync failed too often for us to rely on it.",
        ),
        "missing_features": (
            "We need approvals with two levels and could not build them here.",
            "No row-level permissions, which our auditor insists on.",
        ),
        "switched_service": (
            "Head office moved all sites to one vendor.",
            "Another tool does this inside the suite we already pay for.",
        ),
        "too_complex": (
            "Only one of us ever understood the set-up.",
            "We never got past the import, it was too much beside the daily work.",
        ),
        "too_expensive": (
            "With the new price it no longer fits the budget.",
            "Hard to justify for the few seats we use.",
        ),
        "unused": (
            "The project it was bought for has ended.",
            "Nobody has logged in since spring, to be honest.",
        ),
        "other": ("We are closing this office.", "Internal reorganisation."),
    },
    "ko": {
        "customer_service": ("급한 문의에도 답변까지 며칠씩 걸렸습니다.",),
        "low_quality": ("업데이트 이후 보고서 오류가 반복되었습니다.",),
        "missing_features": ("2단계 결재가 필요한데 만들 수 없었습니다.",),
        "switched_service": ("본사 방침에 따라 다른 서비스로 통합합니다.",),
        "too_complex": ("설정이 복잡해서 담당자 외에는 쓰지 못했습니다.",),
        "too_expensive": ("인상된 가격이 예산을 넘습니다.", "사용하는 인원에 비해 비용이 큽니다."),
        "unused": ("도입했던 프로젝트가 종료되었습니다.",),
        "other": ("조직 개편 때문입니다.",),
    },
}


def draw_reasons(lanes: Lanes, leaves: Bools, rng: np.random.Generator) -> Floats:
    """Index into REASONS for every lane, meaningful where ``leaves``; not always the true cause."""
    reasons = np.zeros(lanes.size)
    index = np.flatnonzero(leaves)
    if index.size:
        weight = _weights(lanes.take(index))
        edges = np.cumsum(weight, axis=1)
        roll = rng.random(index.size) * edges[:, -1]
        reasons[index] = (roll[:, None] > edges).sum(axis=1)
    return reasons


def _weights(lanes: Lanes) -> Floats:
    quiet = np.maximum(-lanes.energy - 0.5, 0)
    drifting = (lanes.drift_left > 0) * 1.0
    weights: Floats = np.column_stack(
        [
            0.08 + 0.5 * lanes.frustration,
            0.08 + 0.6 * lanes.frustration,
            0.15 + 0.5 * np.maximum(-lanes.fit, 0),
            0.15 + 0.8 * drifting + 0.4 * (lanes.champion_back < NEVER),
            0.10 + 0.9 * (lanes.ceiling < 1),
            0.22 + 2.0 * np.minimum(lanes.pressure, 1.5),
            0.10 + 0.6 * quiet,
            0.20 + 0 * quiet,
        ]
    )
    return weights
