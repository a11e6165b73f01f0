// Tests of a whole accelerator against golden vectors: the same ones, under the same names, as in
// the cocotb bench sim/bench/test_accelerator.py.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kakure.h"
#include "model_bench.h"

class Tests : public Bench {
 public:
  using Bench::Bench;

  /// Digest and constants; SLVERR where nothing is; answers stay until they are taken.
  void registers_answer_as_the_map_says() {
    uint32_t beyond = 0;
    for (const Register& entry : vectors_.registers) {
      for (unsigned late : {0u, 3u})
        must_be(driver_.read(entry.offset, OKAY, late), entry.at_start,
              "register " + std::to_string(entry.offset));
      if (!entry.is_writable) driver_.write(entry.offset, 0xFFFFFFFFu, SLAVE_ERROR, 2);
      beyond = std::max(beyond, entry.offset + 4);
    }
    must_be(driver_.read(beyond, SLAVE_ERROR), 0, "what is read where no register is");
    driver_.write(beyond, KAKURE_CONTROL_CLASS_MASK, SLAVE_ERROR);
    uint32_t strobe = 0;  // of every byte in which no kept bit lies
    for (unsigned byte = 0; byte < 4; ++byte)
      if (!(KEPT >> 8 * byte & 0xFF)) strobe |= 1u << byte;
    driver_.write(KAKURE_CONTROL_OFFSET, KEPT, OKAY, 0, 0, strobe);
    must_be(driver_.read(KAKURE_CONTROL_OFFSET), 0, "CONTROL");
    for (uint32_t value : {KAKURE_CONTROL_CLASS_MASK, KAKURE_CONTROL_BATCH_MASK,
                           KAKURE_CONTROL_SPLIT_MASK, KEPT, 0u}) {
      for (int lag : {0, 1, 3, -1, -3}) {
        const uint32_t pulses = lag ? KAKURE_CONTROL_LOAD_MASK | KAKURE_CONTROL_CLEAR_MASK
                                    : KAKURE_CONTROL_RESET_MASK;
        driver_.write(KAKURE_CONTROL_OFFSET, value | pulses, OKAY, lag ? std::abs(lag) - 1 : 0,
                      lag);
        must_be(driver_.read(KAKURE_CONTROL_OFFSET), value, "CONTROL");
        control(0);
      }
    }
    counts["registers"] = vectors_.registers.size();
  }

  /// Logits equal, and every result in exactly the cycle that the formula says.
  void all_images_at_full_rate() {
    load();
    must_be(driver_.read(KAKURE_LOAD_CYCLES_OFFSET), vectors_.load_cycles, "LOAD_CYCLES");
    driver_.wait(1 + vectors_.settle_cycles);
    const uint64_t begin = driver_.cycle();
    for (const Words& image : vectors_.images) driver_.queue(image);
    want(images_);
    for (uint32_t image = 0; image < images_; ++image) {
      const uint64_t cycles = compare(image) - begin;
      must(cycles == vectors_.cycles[image],
           named(image) + ": its result must end in cycle " +
               std::to_string(vectors_.cycles[image]) + ", not " + std::to_string(cycles));
      ++counts["results_in_their_cycle"];
      std::printf("image %u\n", image + 1);
      std::fflush(stdout);
    }
    counts["cycles"] = vectors_.cycles.back();
    driver_.wait(2);
    must_be(driver_.read(KAKURE_LATENCY_OFFSET), vectors_.cycles.front(), "LATENCY");
    must_be(driver_.read(KAKURE_CYCLES_OFFSET), vectors_.cycles.back(), "CYCLES");
    must_be(driver_.read(KAKURE_RESULTS_OFFSET), images_, "RESULTS");
    status(KAKURE_STATUS_LOADED_MASK);
    for (const Register& one : vectors_.registers) {
      if (!one.counts) continue;
      must_be(driver_.read(one.offset), one.at_end, "register " + std::to_string(one.offset));
      ++counts["counters"];
    }
  }

  /// Logits equal when words come with pauses and results are not always taken.
  void back_pressure_on_both_sides() {
    driver_.pause(true, true);
    load();
    infer(several(SLOW_IMAGES));
  }

  /// One word per image: the first of the largest logits.
  void classes_instead_of_logits() {
    control(KAKURE_CONTROL_CLASS_MASK);
    load();
    const std::vector<uint32_t> images = several(3);
    for (uint32_t image : images) driver_.queue(vectors_.images[image]);
    driver_.want(images.size());
    for (uint32_t image : images) is_class(image);
    driver_.drain();
  }

  /// ERROR is set, no result is given, and the accelerator recovers by a reset or a load.
  void a_corrupted_supermask_is_refused() {
    for (uint32_t n = 0; n < CORRUPTIONS; ++n) {
      Words words = vectors_.supermask;
      const uint32_t at = random_.below(words.size());
      words[at] ^= 1u << random_.below(32);
      uint32_t section = 0;
      for (uint32_t end = vectors_.sections[0]; at >= end; end += vectors_.sections[section])
        ++section;
      driver_.send(words);
      driver_.wait(2);
      status(KAKURE_STATUS_ERROR_MASK);
      const uint32_t error = driver_.read(KAKURE_ERROR_OFFSET);
      const uint32_t code = FIELD(error, ERROR_CODE);
      must(code == KAKURE_ERROR_CODE_HEADER || code == KAKURE_ERROR_CODE_LENGTH ||
               code == KAKURE_ERROR_CODE_CRC || code == KAKURE_ERROR_CODE_SCALE,
           "a wrong word " + std::to_string(at) + " leads to ERROR.CODE " + std::to_string(code));
      must_be(FIELD(error, ERROR_LAYER), vectors_.layers[section], "ERROR.LAYER");
      driver_.send(vectors_.images[0]);
      driver_.wait(100 + vectors_.settle_cycles + vectors_.cycles[0]);
      must(!driver_.offers_result(), "a result in spite of a corrupted supermask");
      control(random_.chance(50) ? KAKURE_CONTROL_RESET_MASK : KAKURE_CONTROL_LOAD_MASK);
      driver_.wait(2);
      status(0);
      must_be(driver_.read(KAKURE_ERROR_OFFSET), 0, "ERROR");
    }
    load();
    infer({0});
  }

  /// Half an image is forgotten, with the weights.
  void a_reset_in_the_middle_of_an_image() {
    load();
    Words half = vectors_.images[0];
    half.resize((half.size() + 1) / 2);
    driver_.send(half, half.size() == vectors_.images[0].size());
    driver_.wait(2);
    status(KAKURE_STATUS_LOADED_MASK | KAKURE_STATUS_BUSY_MASK);
    control(KAKURE_CONTROL_RESET_MASK);
    driver_.wait(2);
    status(0);
    load();
    infer({std::min(1u, images_ - 1)});
  }

  /// An error and no result for each; the images around them are right, at any speed.
  void frames_too_short_and_too_long() {
    load();
    uint32_t results = 0;
    for (bool pauses : {false, true}) {
      driver_.pause(pauses, pauses);
      std::vector<uint32_t> right, codes;
      for (uint32_t n = 0; n < FRAMES; ++n) {
        const uint32_t image = n % images_, kind = n + 1 < FRAMES ? random_.below(4) : 0;
        Words words = vectors_.images[image];
        if (kind == 2 && words.size() > 1) {
          words.resize(1 + random_.below(words.size() - 1));
          codes.push_back(KAKURE_ERROR_CODE_IMAGE_SHORT);
        } else if (kind == 3) {
          for (uint32_t more = random_.chance(50) ? 1 : 5; more; --more)
            words.push_back(static_cast<uint32_t>(random_.engine()));
          codes.push_back(KAKURE_ERROR_CODE_IMAGE_LONG);
        } else {
          right.push_back(image);
        }
        driver_.queue(words);
      }
      want(right.size());
      for (uint32_t image : right) compare(image);
      driver_.wait(2);
      must_be(driver_.read(KAKURE_DROPPED_OFFSET), codes.size(), "DROPPED");
      must_be(driver_.read(KAKURE_ERROR_OFFSET), codes.empty() ? 0 : codes[0], "ERROR");
      status(KAKURE_STATUS_LOADED_MASK | (codes.empty() ? 0 : KAKURE_STATUS_ERROR_MASK));
      control(KAKURE_CONTROL_CLEAR_MASK);
      status(KAKURE_STATUS_LOADED_MASK);
      must_be(driver_.read(KAKURE_ERROR_OFFSET), 0, "ERROR");
      must_be(driver_.read(KAKURE_DROPPED_OFFSET), 0, "DROPPED");
      results += static_cast<uint32_t>(right.size());
      must_be(driver_.read(KAKURE_RESULTS_OFFSET), results, "RESULTS");
    }
  }

  /// Images in one transfer, or without any TLAST.
  void a_batch_without_last() {
    control(KAKURE_CONTROL_BATCH_MASK);
    load();
    const std::vector<uint32_t> images = several(3);
    for (bool has_last : {false, true}) {
      Words words;
      for (uint32_t image : images)
        words.insert(words.end(), vectors_.images[image].begin(), vectors_.images[image].end());
      driver_.queue(words, has_last);
      want(images.size());
      for (uint32_t image : images) compare(image);
    }
    driver_.wait(2);
    status(KAKURE_STATUS_LOADED_MASK);
    must_be(driver_.read(KAKURE_RESULTS_OFFSET), 2 * images.size(), "RESULTS");
  }

  /// Behind images on their way, and behind a part of another: other weights, other logits.
  void a_load_without_a_reset() {
    load();
    const std::vector<uint32_t> images = several(2);
    driver_.pause(false, true);
    want(images.size());
    for (uint32_t image : images) driver_.send(vectors_.images[image]);
    control(KAKURE_CONTROL_LOAD_MASK);
    Words part = vectors_.supermask;
    part.resize(1 + random_.below(part.size() - 1));
    driver_.queue(part, false);
    while (driver_.unsent() == part.size()) driver_.wait(1);
    must(driver_.has_taken_all(),
         "a word of the next supermask was taken before the results");
    for (uint32_t image : images) compare(image);
    driver_.drain();
    driver_.pause(false, false);
    status(0);
    control(KAKURE_CONTROL_LOAD_MASK);
    send_and_see_it_loaded(shifted(1000));
    must_be(driver_.read(KAKURE_LOAD_CYCLES_OFFSET), vectors_.load_cycles, "LOAD_CYCLES");
    must_be(driver_.read(KAKURE_RESULTS_OFFSET), 0, "RESULTS");
    must_be(driver_.read(KAKURE_CYCLES_OFFSET), 0, "CYCLES");
    infer(images, 1000);
  }

  /// TLAST anywhere among its words: refused, but with CONTROL.SPLIT.
  void a_supermask_in_several_transfers() {
    const Words& words = vectors_.supermask;
    std::vector<size_t> at{0, words.size()};
    for (int n = 0; n < 3; ++n) at.push_back(1 + random_.below(words.size() - 1));
    std::sort(at.begin(), at.end());
    at.erase(std::unique(at.begin(), at.end()), at.end());
    const auto send_parts = [&](bool has_last) {
      for (size_t n = 0; n + 1 < at.size(); ++n)
        driver_.send(Words(words.begin() + at[n], words.begin() + at[n + 1]), has_last);
    };
    send_parts(true);
    driver_.wait(2);
    status(KAKURE_STATUS_ERROR_MASK);
    must_be(FIELD(driver_.read(KAKURE_ERROR_OFFSET), ERROR_CODE), KAKURE_ERROR_CODE_LENGTH,
          "ERROR.CODE");
    for (bool has_last : {true, false}) {
      control(KAKURE_CONTROL_SPLIT_MASK | KAKURE_CONTROL_LOAD_MASK);
      send_parts(has_last);
      is_loaded();
    }
    infer({0});
  }

  /// The result that has begun goes on as it was, the next one is a class.
  void class_changes_while_a_logit_is_offered() {
    load();
    const uint32_t image = std::min(1u, images_ - 1);
    driver_.queue(vectors_.images[0]);
    driver_.queue(vectors_.images[image]);
    while (!driver_.offers_result()) driver_.wait(1);
    driver_.wait(2);
    control(KAKURE_CONTROL_CLASS_MASK);
    driver_.wait(2);
    want(1);
    compare(0);
    driver_.want(1);
    is_class(image);
  }

 private:
  static constexpr uint32_t KEPT = KAKURE_CONTROL_CLASS_MASK | KAKURE_CONTROL_BATCH_MASK |
                                   KAKURE_CONTROL_SPLIT_MASK;  // bits of CONTROL, but for pulses
  static constexpr uint32_t SLOW_IMAGES = 8, CORRUPTIONS = 3, FRAMES = 12;
};
