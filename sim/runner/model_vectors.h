// Golden vectors as sim/runner/vector_file.py writes them, which says what each word is.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

using Words = std::vector<uint32_t>;

/// CRC-32 as zlib has it, of words whose first byte is the lowest.
inline uint32_t crc32(const uint32_t* words, size_t count) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t n = 0; n < count; ++n) {
    crc ^= words[n];
    for (int bit = 0; bit < 32; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

struct Register {
  uint32_t offset;
  uint32_t at_start;  // what it holds after a reset
  bool is_writable;
  bool counts;
  uint32_t at_end;  // what it holds after all images, if it counts
};

struct Vectors {
  static constexpr uint32_t MAGIC = 0x564B414Bu;  // the letters KAKV
  static constexpr uint32_t FORMAT = 4;

  uint32_t first_image = 0;  // its number in the test set
  uint32_t load_cycles = 0;
  uint32_t settle_cycles = 0;
  uint32_t scale_sets = 1;  // scales of every channel in a section
  uint32_t planes_offset = 0;
  uint32_t tried = 0;  // what is written there; 0: nothing is
  std::vector<Register> registers;
  Words sections;  // words of each part of the supermask, of a layer or of a plane of one
  Words layers;    // that each part belongs to
  Words heads;     // words each begins with that the checksum at its end does not cover
  Words supermask;
  std::vector<Words> images;
  std::vector<Words> logits;  // two's complement
  Words cycles;               // in which each result ends, from the first word of the first image
  uint32_t crc = 0;           // of the file

  uint32_t classes() const { return static_cast<uint32_t>(logits.at(0).size()); }

  /// Reads a file; std::runtime_error where it is not whole.
  explicit Vectors(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file || bytes.size() % 4 || bytes.size() < 4) throw damaged(path);
    for (size_t at = 0; at < bytes.size(); at += 4) {
      uint32_t word = 0;
      for (int byte = 3; byte >= 0; --byte)
        word = word << 8 | static_cast<unsigned char>(bytes[at + byte]);
      words_.push_back(word);
    }
    crc = words_.back();
    words_.pop_back();
    if (crc32(words_.data(), words_.size()) != crc) throw damaged(path);
    if (next() != MAGIC || next() != FORMAT) throw damaged(path);
    const uint32_t register_count = next(), section_count = next(), supermask_words = next();
    const uint32_t image_count = next(), image_words = next(), class_count = next();
    first_image = next();
    load_cycles = next();
    settle_cycles = next();
    scale_sets = next();
    planes_offset = next();
    tried = next();
    for (uint32_t n = 0; n < register_count; ++n) {
      const uint32_t offset = next(), at_start = next(), is_writable = next(), counts = next();
      registers.push_back({offset, at_start, is_writable != 0, counts != 0, next()});
    }
    for (uint32_t n = 0; n < section_count; ++n) {
      sections.push_back(next());
      layers.push_back(next());
      heads.push_back(next());
    }
    supermask = several(supermask_words);
    for (uint32_t n = 0; n < image_count; ++n) images.push_back(several(image_words));
    for (uint32_t n = 0; n < image_count; ++n) logits.push_back(several(class_count));
    cycles = several(image_count);
    if (at_ != words_.size() || images.empty()) throw damaged(path);
  }

 private:
  static std::runtime_error damaged(const std::string& path) {
    return std::runtime_error(path + ": is no file of golden vectors, or is damaged");
  }

  uint32_t next() { return words_.at(at_++); }

  Words several(uint32_t count) {
    Words found;
    for (uint32_t n = 0; n < count; ++n) found.push_back(next());
    return found;
  }

  Words words_;
  size_t at_ = 0;
};
