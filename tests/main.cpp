#define CATCH_CONFIG_RUNNER
#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

#ifdef DYNASOC_TESTS_HOLD_AGENT
#include "fuzz/agent_program.hpp"
#endif

namespace {

// Writes `passed` or `failed`, a tab and the name of each test case to the file named by DYNASOC_TEST_LOG, if any:
// ctest counts executables, `make test` counts cases.
class CaseLog final : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testRunStarting(const Catch::TestRunInfo& run) override {
    TestEventListenerBase::testRunStarting(run);
    if (path_ != nullptr) std::ofstream(path_, std::ios::trunc);
  }

  // The file is opened anew each time: a test may fork, and nothing may wait in a buffer then.
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (path_ != nullptr)
      std::ofstream(path_, std::ios::app)
          << (stats.totals.testCases.failed > 0 ? "failed\t" : "passed\t") << stats.testInfo.name << '\n';
    TestEventListenerBase::testCaseEnded(stats);
  }

 private:
  const char* path_ = std::getenv("DYNASOC_TEST_LOG");
};

CATCH_REGISTER_LISTENER(CaseLog)

}  // namespace

int main(int count, char** arguments) {
#ifdef DYNASOC_TESTS_HOLD_AGENT
  if (const auto status = dynasoc::fuzz::agent_program(count, arguments)) return *status;
#endif
  return Catch::Session().run(count, arguments);
}
