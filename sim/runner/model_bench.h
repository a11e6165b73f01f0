// What the tests of a whole accelerator have in common: loading, sending, and what must come out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kakure.h"
#include "model_driver.h"
#include "model_vectors.h"

// A field of a register's value, by the names in kakure.h.
#define FIELD(value, name) (((value) & KAKURE_##name##_MASK) >> KAKURE_##name##_SHIFT)

/// A word as the two's complement that it is.
inline std::string text(uint32_t word) { return std::to_string(static_cast<int32_t>(word)); }

inline void must_be(uint32_t got, uint64_t expected, const std::string& what) {
  must(got == expected,
       what + " must be " + std::to_string(expected) + ", not " + std::to_string(got));
}

class Bench {
 public:
  Bench(const Vectors& vectors, uint64_t seed)
      : vectors_(vectors), driver_(seed, patience(vectors)), random_(seed),
        images_(static_cast<uint32_t>(vectors.images.size())) {
    driver_.start();
  }

  std::map<std::string, uint64_t> counts;  // what was compared and found equal

 protected:
  /// Cycles in which something must happen: four times what the slowest takes at full rate.
  static uint64_t patience(const Vectors& vectors) {
    const uint64_t slowest = vectors.load_cycles + vectors.settle_cycles + vectors.cycles.front();
    return 1000 + 4 * slowest;
  }

  std::string named(uint32_t image) const {
    return "image " + std::to_string(vectors_.first_image + image);
  }

  std::vector<uint32_t> several(uint32_t most) const {
    std::vector<uint32_t> found;
    for (uint32_t image = 0; image < std::min(most, images_); ++image) found.push_back(image);
    return found;
  }

  void control(uint32_t value) { driver_.write(KAKURE_CONTROL_OFFSET, value); }

  void status(uint32_t expected) { must_be(driver_.read(KAKURE_STATUS_OFFSET), expected, "STATUS"); }

  void want(size_t images) { driver_.want(images * vectors_.classes()); }

  void load() { send_and_see_it_loaded(vectors_.supermask); }

  void send_and_see_it_loaded(const Words& words) {
    driver_.send(words);
    is_loaded();
  }

  /// A supermask was accepted, and nothing else is said; its planes are chosen.
  void is_loaded() {
    if (vectors_.tried) driver_.write(vectors_.planes_offset, vectors_.tried);
    driver_.wait(2);
    status(KAKURE_STATUS_LOADED_MASK);
    must_be(driver_.read(KAKURE_ERROR_OFFSET), 0, "ERROR");
  }

  /// Compares one image's logits as they come; the edge that took the last of them.
  uint64_t compare(uint32_t image, uint32_t shift = 0) {
    Taken taken{};
    for (uint32_t number = 0; number < vectors_.classes(); ++number) {
      taken = driver_.take();
      const uint32_t expected = vectors_.logits[image][number] + shift;
      const std::string where = named(image) + ", class " + std::to_string(number);
      must(taken.word == expected,
           where + ": expected " + text(expected) + ", got " + text(taken.word));
      must(taken.is_last == (number + 1 == vectors_.classes()), where + ": TLAST is wrong");
    }
    ++counts["images"];
    counts["logits"] += vectors_.classes();
    return taken.cycle;
  }

  /// The next word is an image's class.
  void is_class(uint32_t image) {
    const Words& logits = vectors_.logits[image];
    const auto larger = [](uint32_t a, uint32_t b) {
      return static_cast<int32_t>(a) < static_cast<int32_t>(b);
    };
    const auto expected = std::max_element(logits.begin(), logits.end(), larger) - logits.begin();
    const Taken taken = driver_.take();
    must_be(taken.word, static_cast<uint64_t>(expected), named(image) + ": its class");
    must(taken.is_last, named(image) + ": no TLAST with its class");
    ++counts["images"];
    ++counts["classes"];
  }

  void infer(const std::vector<uint32_t>& images, uint32_t shift = 0) {
    for (uint32_t image : images) driver_.queue(vectors_.images[image]);
    want(images.size());
    for (uint32_t image : images) compare(image, shift);
    driver_.drain();
  }

  /// The supermask with more added to B of every class, and the checksum that belongs to it. The
  /// last words of a section are M and B of each channel, then the CRC of all before it.
  Words shifted(uint32_t amount) const {
    Words words = vectors_.supermask;
    size_t end = 0;
    for (size_t number = 0; number < vectors_.sections.size(); ++number) {
      const uint32_t size = vectors_.sections[number];
      end += size;
      if (vectors_.layers[number] != vectors_.layers.back()) continue;  // of the last layer only
      const uint32_t offsets = vectors_.classes() * vectors_.scale_sets;
      for (uint32_t n = 0; n < offsets; ++n) words[end - 2 - 2 * n] += amount;
      const uint32_t covered = size - vectors_.heads[number];
      words[end - 1] = crc32(words.data() + end - covered, covered - 1);
    }
    return words;
  }

  const Vectors& vectors_;
  Driver driver_;
  Random random_;
  const uint32_t images_;
};
