"""Gymnasium environments: boards to train a manager on, one at a time or a batch in C++. Needs gymnasium.

A step is a decision. What is observed are the features of the policy `learned`, the same in training, in simulation and on
a board; an action is one choice for each knob; the reward is minus the cost, by the scenario's `objective`, of what
happened since the last decision (0 before the end of the warm-up), so that what is learnt is what `compare` judges by. An episode is a replication of the
scenario and ends by truncation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union, cast

try:
    import gymnasium
    from gymnasium import spaces
    from gymnasium.vector import AutoresetMode, VectorEnv
except ImportError as error:
    raise ImportError("dynasoc.gym needs gymnasium: pip install dynasoc[gym]") from error

import numpy as np
import numpy.typing as npt

from . import _core
from .files import PathLike, ScenarioLike, json_text, scenario_of

Floats = npt.NDArray[np.float32]
Layer = tuple[Any, Any, str]
"""Weights (outputs x inputs), biases (outputs), and what becomes of each output: `none`, `tanh` or `relu`."""


def _environment(
    scenarios: Union[ScenarioLike, Sequence[ScenarioLike]], knobs: Mapping[str, Any] | None, boards: int
) -> _core.Environment:
    return _core.Environment([scenario_of(one)._core for one in _several(scenarios)], json_text(dict(knobs or {})), boards)


def _several(scenarios: Union[ScenarioLike, Sequence[ScenarioLike]]) -> list[ScenarioLike]:
    return list(scenarios) if isinstance(scenarios, (list, tuple)) else [cast(ScenarioLike, scenarios)]


def _observations(core: _core.Environment) -> spaces.Space[Floats]:
    box = spaces.Box(-4.0, 4.0, (len(core.features),), np.float32)  # what LearningSpace is bounded by
    return cast("spaces.Space[Floats]", box)


def _actions(core: _core.Environment) -> spaces.MultiDiscrete:
    return spaces.MultiDiscrete([len(values) for _, values in core.heads])


def _choices(actions: Any) -> npt.NDArray[np.int64]:
    array = np.asarray(actions)
    if array.dtype.kind not in "iu":
        raise TypeError(f"actions are whole numbers, not {array.dtype}")
    return array.astype(np.int64, copy=False)


def _entropy() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


class ManagerEnv(gymnasium.Env[Floats, npt.NDArray[np.int64]]):
    """One board.

    scenario: a Scenario, a path, a known name, dictionaries, or a list of such (episodes take them in turn). knobs: when it is
    asked and what it may write, as the member `knobs` of the policy `learned` (`dynasoc list policies`): for instance
    `{"asked": "period", "period_ms": 100, "clocks": 6, "subnets": True}`.

    `reset(seed=...)` begins replication 0 of that seed; without one, the next replication, or another seed that follows from
    the first where an episode is left before its end. `info` of a step that ends an
    episode has `episode`: cost, energy_j, accuracy, frames, lost, steps. Throws InputError.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        scenario: Union[ScenarioLike, Sequence[ScenarioLike]],
        knobs: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self._cores = [_environment(one, knobs, 1) for one in _several(scenario)]
        self._core = self._cores[0]
        self._episode = -1
        # By scenario: the first observation of its next episode, which a batch begins by itself; None in the middle of one.
        self._first: list[Floats | None] = []
        self._over = True
        self.features: list[str] = self._core.features
        self.heads: list[tuple[str, list[int]]] = self._core.heads
        for core in self._cores[1:]:
            if core.features != self.features or core.heads != self.heads:
                raise _core.InputError("these scenarios show a learner different features or choices")
        self.knobs: dict[str, Any] = dict(knobs or {})
        self.observation_space = _observations(self._core)
        self.action_space = _actions(self._core)
        if render_mode not in (None, "ansi"):
            raise _core.InputError(f"render_mode {render_mode!r}: must be ansi or None")
        self.render_mode = render_mode
        self._shown: Floats | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        if seed is not None or self._episode < 0:
            start = seed if seed is not None else _entropy()
            self._first = list(core.reset(start) for core in self._cores)
            self._episode = 0
        else:
            self._episode += 1
        which = self._episode % len(self._cores)
        self._core = self._cores[which]
        ready = self._first[which]
        if ready is None:  # in the middle of an episode: the batch begins another only where one ends
            ready = self._core.reset(int(self.np_random.integers(2**31)))
        self._first[which] = None
        self._over = False
        self._shown = ready[0]
        return ready[0], {}

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Carries out a decision and goes on to the next one."""
        if self._over:
            raise RuntimeError("the episode is over, or none was begun: call reset()")
        observations, rewards, ended, last = self._core.step(_choices(action).reshape(1, -1))
        if last is None:
            self._shown = observations[0]
            return observations[0], float(rewards[0]), False, False, {}
        self._over = True
        self._first[self._episode % len(self._cores)] = observations
        self._shown = last[0]
        episode = {key: values[0].item() for key, values in self._core.outcomes().items()}
        return last[0], float(rewards[0]), False, True, {"episode": episode}

    def render(self) -> str | None:
        """The features by name, as text."""
        if self.render_mode != "ansi" or self._shown is None:
            return None
        return "\n".join(f"{name:32} {value:8.4f}" for name, value in zip(self.features, self._shown))


class VectorManagerEnv(VectorEnv[Floats, npt.NDArray[np.int64], npt.NDArray[Any]]):
    """A batch of boards, stepped together in C++; a board whose episode is over begins the next one in the same step.

    scenario: one, or a list of which board b runs the (b modulo their number)-th; all must have the same features and
    choices. knobs: as of ManagerEnv. Episodes of board b are replications b, b + num_envs, ... of the seed.

    `infos` of a step that ends episodes has `final_obs` and `episode` (arrays by board), with the masks `_final_obs` and
    `_episode`. The GIL is released during a step. Throws InputError.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        scenario: Union[ScenarioLike, Sequence[ScenarioLike]],
        num_envs: int,
        knobs: Mapping[str, Any] | None = None,
    ) -> None:
        self._core = _environment(scenario, knobs, num_envs)
        self.num_envs = num_envs
        self.knobs = dict(knobs or {})
        self.features = self._core.features
        self.heads = self._core.heads
        self.single_observation_space = _observations(self._core)
        self.single_action_space = _actions(self._core)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self._seeded = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Begins every board anew. seed: of all random streams of all boards, which differ by their replication; without
        one, another that follows from the last."""
        if isinstance(seed, list):
            raise _core.InputError("reset: one seed for all boards; they differ by their replication")
        if seed is None:
            seed = int(self.np_random.integers(2**31)) if self._seeded else _entropy()
        else:
            super().reset(seed=seed)
        self._seeded = True
        return self._core.reset(seed), {}

    def step(
        self, actions: Any
    ) -> tuple[Floats, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        """One decision on every board: observations, rewards, terminations (never), truncations, infos."""
        observations, rewards, ended, last = self._core.step(_choices(actions))
        infos: dict[str, Any] = {}
        if last is not None:
            infos = {"final_obs": last, "_final_obs": ended, "episode": self._core.outcomes(), "_episode": ended}
        return observations, rewards, np.zeros(self.num_envs, dtype=np.bool_), ended, infos


def learned_policy(
    env: ManagerEnv | VectorManagerEnv, layers: Sequence[Layer], trained: str = ""
) -> dict[str, Any]:
    """A trained network as the policy `learned`: what a scenario's `policy` says, and `run(policy=...)` takes.

    layers: the first one takes the features, the last one gives the choices of all knobs, one after the other; of each
    knob's group the largest wins. trained: on what, by what, for how long; for people. Throws InputError.
    """
    written = []
    inputs = len(env.features)
    for number, (weights, bias, activation) in enumerate(layers):
        w, b = np.asarray(weights, dtype=float), np.asarray(bias, dtype=float)
        if w.ndim != 2 or b.ndim != 1 or w.shape != (len(b), inputs):
            raise _core.InputError(
                f"layers[{number}]: weights of shape {w.shape} and biases of shape {b.shape} for {inputs} inputs; "
                f"the weights must be (outputs, {inputs}) and the biases (outputs,)"
            )
        if not (np.isfinite(w).all() and np.isfinite(b).all()):
            raise _core.InputError(f"layers[{number}]: holds numbers that are not finite")
        written.append({"weights": w.tolist(), "bias": b.tolist(), "activation": activation})
        inputs = len(b)
    choices = sum(len(values) for _, values in env.heads)
    if inputs != choices:
        raise _core.InputError(f"layers[{len(written) - 1}]: gives {inputs} outputs, but the knobs have {choices} choices")
    return {
        "name": "learned",
        "trained": trained,
        "knobs": env.knobs,
        "inputs": list(env.features),
        "outputs": [name for name, _ in env.heads],
        "layers": written,
    }


def save_policy(
    path: PathLike, env: ManagerEnv | VectorManagerEnv, layers: Sequence[Layer], trained: str = ""
) -> Path:
    """Writes `learned_policy` to a file that `dynasoc run --policy FILE` and `compare --policies FILE` take. Returns its
    path; a file that is there is replaced."""
    to = Path(path)
    partial = to.with_name(to.name + ".partial")
    partial.write_text(json_text(learned_policy(env, layers, trained)) + "\n", encoding="utf-8")
    os.replace(partial, to)
    return to


def register_envs() -> None:
    """Makes `gymnasium.make("dynasoc/Manager-v0", scenario=...)` work; importing this module does it."""
    if "dynasoc/Manager-v0" not in gymnasium.registry:
        gymnasium.register(
            id="dynasoc/Manager-v0", entry_point="dynasoc.gym:ManagerEnv", vector_entry_point="dynasoc.gym:VectorManagerEnv"
        )


register_envs()

__all__ = ["ManagerEnv", "VectorManagerEnv", "learned_policy", "save_policy"]
