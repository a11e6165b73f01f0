// A Verilated accelerator and its tests as one program, without an interpreter in the loop of cycles:
//
//   accelerator --tests               prints the name of every test
//   accelerator VECTORS TEST SEED     runs one; the last line that it prints is PASS or FAIL
//
// VECTORS is a file of golden vectors, as model_vectors.h reads it. A line "image N" tells that N
// images of this run were compared at full rate. PASS is followed by the checksum of the vectors and
// by what was compared, FAIL by what is not as it must be. The exit code is 0, 1 after FAIL, or 2.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "model_tests.h"
#include "model_vectors.h"

namespace {

struct Test {
  const char* name;
  void (Tests::*run)();
};

#define TEST(name) {#name, &Tests::name}
constexpr Test TESTS[] = {
    TEST(registers_answer_as_the_map_says),
    TEST(all_images_at_full_rate),
    TEST(back_pressure_on_both_sides),
    TEST(classes_instead_of_logits),
    TEST(a_corrupted_supermask_is_refused),
    TEST(a_reset_in_the_middle_of_an_image),
    TEST(frames_too_short_and_too_long),
    TEST(a_batch_without_last),
    TEST(a_load_without_a_reset),
    TEST(a_supermask_in_several_transfers),
    TEST(class_changes_while_a_logit_is_offered),
};

int run(const Test& test, const std::string& path, uint64_t seed) {
  const Vectors vectors(path);
  try {
    Tests tests(vectors, seed + vectors.first_image);
    (tests.*test.run)();
    std::printf("PASS %u", vectors.crc);
    for (const auto& [what, count] : tests.counts)
      std::printf(" %s=%llu", what.c_str(), static_cast<unsigned long long>(count));
    std::printf("\n");
    return 0;
  } catch (const Difference& difference) {
    std::printf("FAIL %s\n", difference.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && !std::strcmp(argv[1], "--tests")) {
    for (const Test& test : TESTS) std::printf("%s\n", test.name);
    return 0;
  }
  for (const Test& test : TESTS) {
    if (argc != 4 || std::strcmp(argv[2], test.name)) continue;
    try {
      return run(test, argv[1], std::strtoull(argv[3], nullptr, 10));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 2;
    }
  }
  std::fprintf(stderr, "usage: %s --tests | VECTORS TEST SEED\n", argv[0]);
  return 2;
}
