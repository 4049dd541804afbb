"""Environments for learners: Gymnasium's own checks, rewards, seeds, batches, and a trained policy wherever policies go."""

import json
import threading
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dynasoc
import dynasoc.gym

CAMERA = "claims/energy-vs-governors"


@pytest.fixture
def short():
    return dynasoc.Scenario.from_file(CAMERA).copy(duration_s=5, warmup_s=0.5)


def test_gymnasiums_checks(short):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*alternative render modes.*")
        check_env(gymnasium.make("dynasoc/Manager-v0", scenario=short).unwrapped)
        check_env(gymnasium.make("dynasoc/Manager-v0", scenario=short, knobs={"clocks": 3, "asked": "period"}).unwrapped)


def test_what_is_seen_and_done_has_names(short):
    env = dynasoc.gym.ManagerEnv(short, {"clocks": 4}, render_mode="ansi")
    assert [name for name, _ in env.heads] == ["camera.subnet", "gpu.clock"]
    assert list(env.action_space.nvec) == [6, 4]
    assert len(env.features) == env.observation_space.shape[0]
    env.reset(seed=1)
    assert "camera.L1.latency" in env.render() and env.render().count("\n") == len(env.features) - 1
    seen, _, _, _, _ = env.step([0, 3])
    feature = dict(zip(env.features, seen))
    assert feature["camera.subnet"] == 0 and feature["camera.clock4.energy"] == pytest.approx(1)


def test_same_seed_same_episode_and_the_next_differs(short):
    def episode(env, seed=None):
        seen, _ = env.reset(seed=seed)
        out, over, step = [seen], False, 0
        while not over:
            seen, reward, terminated, over, info = env.step([step % 6, step % 5])
            assert not terminated
            out.append(np.append(seen, reward))
            step += 1
        return np.concatenate(out), info["episode"]

    env = dynasoc.gym.ManagerEnv(short)
    (first, told), (second, _) = episode(env, 7), episode(env)
    again, _ = episode(env, 7)
    assert (first == again).all() and first.shape == second.shape and (first != second).any()
    assert told["steps"] * (env.observation_space.shape[0] + 1) + env.observation_space.shape[0] == len(first)
    assert told["frames"] > 40 and told["energy_j"] > 0
    with pytest.raises(RuntimeError, match="call reset"):
        env.step([0, 0])


def test_an_episode_that_is_left(short):
    env = dynasoc.gym.ManagerEnv(short)

    def walk():
        env.reset(seed=3)
        env.step([0, 0])
        return env.reset()[0], env.step([1, 1])[0]

    assert all((a == b).all() for a, b in zip(walk(), walk()))


def test_rewards_are_the_objective(short):
    env = dynasoc.gym.ManagerEnv(short, {"cost_us": 0})
    top = int(env.action_space.nvec[1]) - 1
    env.reset(seed=5)
    total, over = 0.0, False
    while not over:
        _, reward, _, over, info = env.step([5, top])
        total += reward
    assert total == pytest.approx(-info["episode"]["cost"], rel=1e-12)
    largest = dynasoc.run(short, policy={"name": "static", "level": 6}, seed=5)
    frames = info["episode"]["frames"]
    assert -total / frames == pytest.approx(largest[0].metrics["run.cost"], rel=0.02)  # the last frame was not done


def test_a_batch_is_its_boards(short):
    boards = 5
    batch = dynasoc.gym.VectorManagerEnv(short, boards)
    seen, _ = batch.reset(seed=2)
    assert batch.observation_space.contains(seen) and seen.dtype == np.float32
    ended = 0
    for step in range(120):
        seen, rewards, terminated, truncated, infos = batch.step(np.full((boards, 2), step % 3))
        assert batch.observation_space.contains(seen) and rewards.shape == (boards,) and not terminated.any()
        assert ("final_obs" in infos) == truncated.any()
        if truncated.any():
            ended += truncated.sum()
            assert (infos["_final_obs"] == truncated).all()
            assert (infos["episode"]["frames"][truncated] > 40).all()
            assert (infos["final_obs"][truncated] != seen[truncated]).any()
    assert ended >= boards
    # Board 0 begins with replication 0, as one board does.
    alone = dynasoc.gym.ManagerEnv(short)
    assert (alone.reset(seed=2)[0] == batch.reset(seed=2)[0][0]).all()


def test_boards_of_several_scenarios(short):
    calm = short.copy(name="calm", set={"applications.camera.arrivals.period_ms": 200})
    batch = dynasoc.gym.VectorManagerEnv([short, calm], 4)
    batch.reset(seed=1)
    for _ in range(60):
        _, _, _, truncated, infos = batch.step(np.zeros((4, 2), dtype=int))
        if truncated[1]:
            assert infos["episode"]["frames"][1] < 30
    with pytest.raises(dynasoc.InputError, match="different features or choices"):
        dynasoc.gym.VectorManagerEnv([short, "learning/door-camera"], 2)
    env = dynasoc.gym.ManagerEnv([short, calm])
    env.reset(seed=1)
    assert env.reset(seed=1)[0].shape == env.observation_space.shape
    with pytest.raises(dynasoc.InputError, match="different features or choices"):
        dynasoc.gym.ManagerEnv([short, "learning/door-camera"])


def test_slips_are_told(short):
    with pytest.raises(dynasoc.InputError, match='did you mean "clocks"'):
        dynasoc.gym.ManagerEnv(short, {"clock": 3})
    with pytest.raises(dynasoc.InputError, match='unknown processing unit "gpo".*did you mean "gpu"'):
        dynasoc.gym.ManagerEnv(short, {"clock_units": ["gpo"]})
    env = dynasoc.gym.VectorManagerEnv(short, 2)
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        env.step(np.zeros(2, dtype=int))
    with pytest.raises(dynasoc.InputError, match="board 1, camera.subnet: there is no choice 9"):
        env.step(np.array([[0, 0], [9, 0]]))
    with pytest.raises(dynasoc.InputError, match="must be"):
        dynasoc.gym.learned_policy(env, [(np.zeros((3, 2)), np.zeros(3), "none")])
    with pytest.raises(dynasoc.InputError, match="12 choices|11 choices"):
        dynasoc.gym.learned_policy(env, [(np.zeros((3, len(env.features))), np.zeros(3), "none")])
    with pytest.raises(dynasoc.InputError, match="not finite"):
        dynasoc.gym.learned_policy(env, [(np.full((3, len(env.features)), np.nan), np.zeros(3), "none")])


def test_a_trained_policy_runs_in_python_and_from_the_command_line(short, tmp_path):
    env = dynasoc.gym.ManagerEnv(short, {"clocks": 4})
    rng = np.random.default_rng(1)
    layers = [
        (rng.normal(size=(8, len(env.features))), np.zeros(8), "tanh"),
        (rng.normal(size=(10, 8)), np.zeros(10), "none"),
    ]
    path = dynasoc.gym.save_policy(tmp_path / "made-up.policy.json", env, layers, "not at all")
    short.save(tmp_path / "short.json")
    inside = dynasoc.run(short, policy=dynasoc.gym.learned_policy(env, layers))
    by_file = dynasoc.run(short, policy=str(path))
    printed = json.loads(dynasoc.command("run", tmp_path / "short.json", "--policy", path, "--json"))
    assert inside.summary["apps"] == by_file.summary["apps"] == printed["apps"]
    assert inside.policy == printed["policy"]["name"] == "learned"
    # And the environment, driven by the same network, comes to the same.
    seen, _ = env.reset(seed=short.seed)
    over = False
    while not over:
        hidden = np.tanh(layers[0][0] @ seen)
        scores = layers[1][0] @ hidden
        seen, _, _, over, info = env.step([scores[:6].argmax(), scores[6:].argmax()])
    assert info["episode"]["energy_j"] == pytest.approx(inside[0].energy_j, rel=1e-12)
    wrong = dynasoc.Scenario.from_file("claims/gpu-sharing")
    with pytest.raises(dynasoc.InputError, match='was trained with input "camera.subnet"'):
        dynasoc.run(wrong, policy=str(path))


def test_a_batch_goes_on_to_other_episodes(short):
    batch = dynasoc.gym.VectorManagerEnv(short, 2)

    def rewards(seed=None):
        batch.reset(seed=seed)
        return np.array([batch.step(np.full((2, 2), 2))[1] for _ in range(20)])

    first, second, third = rewards(1), rewards(), rewards()
    assert (first != second).any() and (second != third).any()
    assert (rewards(1) == first).all() and (rewards() == second).all()
    assert isinstance(
        gymnasium.make_vec("dynasoc/Manager-v0", num_envs=2, scenario=short), dynasoc.gym.VectorManagerEnv
    )


def test_an_environment_is_for_one_thread_at_a_time(short):
    batch = dynasoc.gym.VectorManagerEnv(short, 64)
    batch.reset(seed=1)
    refused = []

    def walk():
        for _ in range(300):
            try:
                batch.step(np.zeros((64, 2), dtype=int))
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=walk) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(refused) <= {"the environment is being stepped by another thread"}
    with pytest.raises(IndexError):
        batch._core.now_s(64)
    with pytest.raises(dynasoc.InternalError):
        dynasoc.gym.VectorManagerEnv(short, 1)._core.now_s(0)


def test_actions_are_whole_numbers(short):
    env = dynasoc.gym.ManagerEnv(short)
    env.reset(seed=1)
    with pytest.raises(TypeError, match="whole numbers"):
        env.step([1.9, 0.0])
