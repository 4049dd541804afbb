"""A policy in Python gets its row in a ranking, as docs/rtm-bench.md says."""
import dynasoc


class Mine(dynasoc.Policy):
    triggers = dynasoc.Triggers(completion=True)

    def decide(self, seen):
        return None


def test_a_policy_in_python_is_ranked():
    dynasoc.register(Mine, "mine")
    answer = dynasoc.rank("rtm-bench", add=["mine"], policies=["none", "edf"], scenarios=["overload"], replications=2, jobs=1)
    rows = {one["policy"]: one for one in answer["policies"]}
    assert set(rows) == {"none", "edf", "mine"}
    assert rows["mine"]["regret"] == rows["none"]["regret"]  # it does nothing, as none does
    assert answer["policies"][0]["policy"] in answer["sentence"]
