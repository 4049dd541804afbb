"""Trains a manager: proximal policy optimisation (Schulman et al., arXiv 1707.06347) in NumPy alone, on a batch of boards.

    python -m dynasoc.examples.train_agent [--scenario learning/door-camera] [--out trained.policy.json] [--seed 0] [--updates 200]

A few seconds later `dynasoc run learning/door-camera --policy trained.policy.json` runs what was learnt. Who has a library
for this will use that: the environments of dynasoc.gym are ordinary Gymnasium environments.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import numpy.typing as npt

from dynasoc import gym

Floats = npt.NDArray[np.float64]


class Network:
    """Features to the choices of every knob and to what the rest of the episode is worth; one hidden layer."""

    def __init__(self, features: int, choices: list[int], hidden: int, rng: np.random.Generator) -> None:
        self.choices = choices
        total = sum(choices)
        self.weights = {
            "hidden": rng.normal(0, features**-0.5, (hidden, features)),
            "hidden_bias": np.zeros(hidden),
            "choice": rng.normal(0, 0.01, (total, hidden)),
            "choice_bias": np.zeros(total),
            "value": np.zeros(hidden),
            "value_bias": np.zeros(1),
        }
        self._mean = {key: np.zeros_like(value) for key, value in self.weights.items()}
        self._square = {key: np.zeros_like(value) for key, value in self.weights.items()}
        self._steps = 0

    def __call__(self, seen: Floats) -> tuple[Floats, list[Floats], Floats]:
        """Hidden activations, probabilities of each knob's choices, value."""
        w = self.weights
        hidden = np.tanh(seen @ w["hidden"].T + w["hidden_bias"])
        scores = hidden @ w["choice"].T + w["choice_bias"]
        probabilities = []
        for of_knob in np.split(scores, np.cumsum(self.choices)[:-1], axis=-1):
            e = np.exp(of_knob - of_knob.max(-1, keepdims=True))
            probabilities.append(e / e.sum(-1, keepdims=True))
        return hidden, probabilities, hidden @ w["value"] + w["value_bias"]

    def descend(self, gradients: dict[str, Floats], rate: float) -> None:
        """A step of Adam (Kingma and Ba, arXiv 1412.6980)."""
        self._steps += 1
        for key, gradient in gradients.items():
            self._mean[key] += 0.1 * (gradient - self._mean[key])
            self._square[key] += 0.001 * (gradient**2 - self._square[key])
            mean = self._mean[key] / (1 - 0.9**self._steps)
            square = self._square[key] / (1 - 0.999**self._steps)
            self.weights[key] -= rate * mean / (np.sqrt(square) + 1e-8)

    def layers(self) -> list[gym.Layer]:
        """What the policy `learned` needs of it."""
        w = self.weights
        return [(w["hidden"], w["hidden_bias"], "tanh"), (w["choice"], w["choice_bias"], "none")]


def chosen(probabilities: list[Floats], choices: npt.NDArray[np.int64]) -> Floats:
    """Probability of the choices taken, all knobs together."""
    rows = np.arange(len(choices))
    product: Floats = np.prod([of_knob[rows, choices[:, k]] for k, of_knob in enumerate(probabilities)], axis=0)
    return product


def train(
    env: gym.VectorManagerEnv,
    seed: int = 0,
    updates: int = 200,
    steps: int = 32,
    hidden: int = 32,
    discount: float = 0.9,
    smoothing: float = 0.9,
    clip: float = 0.2,
    exploration: float = 0.01,
    rate: float = 3e-3,
) -> tuple[Network, list[float]]:
    """Trains on a batch of boards; returns the network and the mean reward of a decision, by update.

    discount, smoothing: of generalised advantage estimation (Schulman et al., arXiv 1506.02438). clip: how far the
    probability of a choice may move in an update. exploration: weight of the entropy. rate: of Adam, falling to 0.
    """
    rng = np.random.default_rng(seed)
    network = Network(len(env.features), [len(values) for _, values in env.heads], hidden, rng)
    boards, knobs = env.num_envs, len(env.heads)
    seen, _ = env.reset(seed=seed)
    curve = []
    for update in range(updates):
        saw = np.empty((steps, boards, len(env.features)))
        took = np.empty((steps, boards, knobs), dtype=np.int64)
        rewards, ended, values = np.empty((steps, boards)), np.empty((steps, boards)), np.empty((steps + 1, boards))
        for t in range(steps):
            saw[t] = seen
            _, probabilities, values[t] = network(saw[t])
            for k, of_knob in enumerate(probabilities):
                below = of_knob.cumsum(-1) < rng.random((boards, 1))
                took[t, :, k] = np.minimum(below.sum(-1), of_knob.shape[-1] - 1)
            seen, rewards[t], _, ended[t], _ = env.step(took[t])
        values[steps] = network(seen.astype(float))[2]
        advantage, ahead = np.empty((steps, boards)), np.zeros(boards)
        for t in reversed(range(steps)):
            goes_on = 1 - ended[t]
            error = rewards[t] + discount * goes_on * values[t + 1] - values[t]
            advantage[t] = ahead = error + discount * smoothing * goes_on * ahead
        curve.append(float(rewards.mean()))

        x, a = saw.reshape(-1, saw.shape[-1]), took.reshape(-1, knobs)
        worth, gain = (advantage + values[:-1]).ravel(), advantage.ravel()
        gain = (gain - gain.mean()) / (gain.std() + 1e-8)
        before = chosen(network(x)[1], a)
        for _ in range(3):
            for part in np.array_split(rng.permutation(len(x)), 4):
                hidden_now, probabilities, value = network(x[part])
                ratio = chosen(probabilities, a[part]) / before[part]
                inside = np.where(gain[part] > 0, ratio < 1 + clip, ratio > 1 - clip)
                push = inside * ratio * gain[part]
                scores = []
                for k, p in enumerate(probabilities):
                    taken = np.zeros_like(p)
                    taken[np.arange(len(part)), a[part, k]] = 1
                    log = np.log(p + 1e-12)
                    entropy = -(p * log).sum(-1, keepdims=True)
                    scores.append(-push[:, None] * (taken - p) + exploration * p * (log + entropy))
                by_score = np.concatenate(scores, -1) / len(part)
                by_value = 0.5 * (value - worth[part]) / len(part)
                w = network.weights
                by_hidden = (by_score @ w["choice"] + by_value[:, None] * w["value"]) * (1 - hidden_now**2)
                gradients = {
                    "hidden": by_hidden.T @ x[part],
                    "hidden_bias": by_hidden.sum(0),
                    "choice": by_score.T @ hidden_now,
                    "choice_bias": by_score.sum(0),
                    "value": by_value @ hidden_now,
                    "value_bias": by_value.sum(keepdims=True),
                }
                network.descend(gradients, rate * (1 - update / updates))
    return network, curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--scenario", default="learning/door-camera")
    parser.add_argument("--out", default="trained.policy.json")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--boards", type=int, default=64)
    given = parser.parse_args()

    env = gym.VectorManagerEnv(given.scenario, given.boards, {"clocks": 4})
    began = time.perf_counter()
    network, curve = train(env, given.seed, given.updates)
    seconds = time.perf_counter() - began
    steps = given.updates * 32 * given.boards
    print(f"{steps:,} decisions in {seconds:.1f} s; reward of one {curve[0]:.3f} at first, {np.mean(curve[-10:]):.3f} at last")
    trained = f"{given.scenario}, seed {given.seed}, {steps} decisions, by dynasoc.examples.train_agent (PPO)"
    print(gym.save_policy(given.out, env, network.layers(), trained))


if __name__ == "__main__":
    main()
