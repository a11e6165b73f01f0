// Drives the three buses of a Verilated accelerator, one clock cycle at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vaccelerator.h"
#include "model_vectors.h"
#include "verilated.h"

/// Something that is not as it must be: the test fails.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws unless `is_right`.
inline void must(bool is_right, const std::string& said) {
  if (!is_right) throw Difference(said);
}

/// Random numbers that are the same with every compiler.
struct Random {
  std::mt19937_64 engine;
  explicit Random(uint64_t seed) : engine(seed) {}
  bool chance(unsigned percent) { return engine() % 100 < percent; }
  uint32_t below(uint64_t limit) { return static_cast<uint32_t>(engine() % limit); }
};

struct Taken {
  uint32_t word;
  bool is_last;
  uint64_t cycle;  // number of the clock edge that took it
};

constexpr uint32_t OKAY = 0, SLAVE_ERROR = 2;  // responses of AXI4-Lite

/// Words wait in a queue until they are sent; results that are wanted are taken as they come.
/// Every cycle is checked: what was offered and not taken must still be offered, unchanged.
class Driver {
 public:
  /// Something must be sent or received in every `patience` cycles.
  Driver(uint64_t seed, uint64_t patience) : random_(seed), patience_(patience) {
    context_.randReset(2);  // what has no value at time 0 gets a random one
    context_.randSeed(static_cast<int>(1 + seed % 0x7FFFFFFE));
    dut_ = std::make_unique<Vaccelerator>(&context_);
  }

  ~Driver() { dut_->final(); }

  /// Resets the design for two cycles, with every input at 0.
  void start() {
    for (CData* input : {&dut_->s_axis_tvalid, &dut_->s_axis_tlast, &dut_->m_axis_tready,
                         &dut_->s_axi_awvalid, &dut_->s_axi_wvalid, &dut_->s_axi_bready,
                         &dut_->s_axi_arvalid, &dut_->s_axi_rready})
      *input = 0;
    dut_->s_axis_tdata = 0;
    dut_->rst = 1;
    wait(2);
    dut_->rst = 0;
    wait(1);
  }

  /// Pauses before words that are sent, or while results are taken, from now on.
  void pause(bool sending, bool taking) {
    pauses_sending_ = sending;
    pauses_taking_ = taking;
  }

  uint64_t cycle() const { return cycle_; }
  bool offers_result() const { return now_.m_valid; }
  size_t unsent() const { return queue_.size(); }
  bool has_taken_all() const { return wanted_ == 0; }

  void wait(uint64_t cycles) {
    while (cycles--) tick();
  }

  /// Queues a frame, TLAST with its last word, or without any TLAST.
  void queue(const Words& frame, bool has_last = true) {
    for (size_t n = 0; n < frame.size(); ++n)
      queue_.push_back({frame[n], has_last && n + 1 == frame.size()});
  }

  /// Waits until every queued word was taken.
  void drain() {
    while (!queue_.empty()) tick();
  }

  void send(const Words& frame, bool has_last = true) {
    queue(frame, has_last);
    drain();
  }

  /// Lets so many more words of results be taken as they come.
  void want(size_t count) { wanted_ += count; }

  /// The next word that was taken; waits for it.
  Taken take() {
    while (taken_.empty()) tick();
    const Taken found = taken_.front();
    taken_.pop_front();
    return found;
  }

  /// Reads a register, taking the answer `late` cycles late.
  uint32_t read(uint32_t address, uint32_t response = OKAY, unsigned late = 0) {
    dut_->s_axi_araddr = address;
    dut_->s_axi_arvalid = 1;
    do tick();
    while (!now_.ar_ready);
    dut_->s_axi_arvalid = 0;
    wait(late);
    dut_->s_axi_rready = 1;
    tick();
    dut_->s_axi_rready = 0;
    answered("reading", address, now_.r_valid, now_.r_response, response);
    return now_.r_data;
  }

  /// Writes a register, taking the response `late` cycles late. The data come `lag` cycles after
  /// the address was taken; before it, where that is negative.
  void write(uint32_t address, uint32_t value, uint32_t response = OKAY, unsigned late = 0,
             int lag = 0, uint32_t strobe = 0xF) {
    dut_->s_axi_awaddr = address;
    dut_->s_axi_wdata = value;
    dut_->s_axi_wstrb = strobe;
    CData *first = &dut_->s_axi_awvalid, *second = &dut_->s_axi_wvalid;
    bool Sampled::*first_ready = &Sampled::aw_ready, Sampled::*second_ready = &Sampled::w_ready;
    if (lag < 0) {
      std::swap(first, second);
      std::swap(first_ready, second_ready);
    }
    *first = 1;
    if (lag) {
      do tick();
      while (!(now_.*first_ready));
      *first = 0;
      wait((lag < 0 ? -lag : lag) - 1);
    }
    *second = 1;
    do tick();
    while (!(now_.*second_ready));
    *first = *second = 0;
    wait(late);
    dut_->s_axi_bready = 1;
    tick();
    dut_->s_axi_bready = 0;
    answered("writing", address, now_.b_valid, now_.b_response, response);
  }

 private:
  static constexpr const char* OFFERED = " was offered and not taken, and then ";

  struct Beat {
    uint32_t word;
    bool is_last;
  };

  /// The outputs just before a clock edge.
  struct Sampled {
    bool s_ready, m_valid, m_last, ar_ready, r_valid, aw_ready, w_ready, b_valid;
    uint32_t m_data, r_response, r_data, b_response;
  };

  void tick() {
    if (!dut_->s_axis_tvalid && !queue_.empty() && !(pauses_sending_ && random_.chance(30))) {
      dut_->s_axis_tdata = queue_.front().word;
      dut_->s_axis_tlast = queue_.front().is_last;
      dut_->s_axis_tvalid = 1;
    }
    dut_->m_axis_tready = wanted_ > 0 && !(pauses_taking_ && random_.chance(50));
    dut_->clk = 0;
    dut_->eval();
    const Sampled before = now_;
    now_ = {dut_->s_axis_tready != 0, dut_->m_axis_tvalid != 0, dut_->m_axis_tlast != 0,
            dut_->s_axi_arready != 0, dut_->s_axi_rvalid != 0,  dut_->s_axi_awready != 0,
            dut_->s_axi_wready != 0,  dut_->s_axi_bvalid != 0,  dut_->m_axis_tdata,
            dut_->s_axi_rresp,        dut_->s_axi_rdata,        dut_->s_axi_bresp};
    if (cycle_ && !dut_->rst) check_that_offers_stay(before);
    ++cycle_;
    if (dut_->s_axis_tvalid && now_.s_ready) {
      queue_.pop_front();
      sent_ = true;
      moved_ = cycle_;
    }
    if (now_.m_valid && dut_->m_axis_tready) {
      taken_.push_back({now_.m_data, now_.m_last, cycle_});
      --wanted_;
      moved_ = cycle_;
    }
    m_stays_ = now_.m_valid && !dut_->m_axis_tready && !dut_->rst;
    r_stays_ = now_.r_valid && !dut_->s_axi_rready && !dut_->rst;
    b_stays_ = now_.b_valid && !dut_->s_axi_bready && !dut_->rst;
    dut_->clk = 1;
    dut_->eval();
    if (sent_) dut_->s_axis_tvalid = dut_->s_axis_tlast = sent_ = false;
    if (cycle_ - moved_ > patience_) throw hangs();
  }

  Difference hangs() const {
    return Difference("hangs: nothing was sent or received for " + std::to_string(patience_) +
                      " cycles; " + std::to_string(queue_.size()) + " words are not sent, " +
                      std::to_string(wanted_) + " not received");
  }

  void check_that_offers_stay(const Sampled& before) const {
    if (m_stays_ && !now_.m_valid)
      throw Difference("word " + std::to_string(before.m_data) + OFFERED + "withdrawn");
    if (m_stays_ && (now_.m_data != before.m_data || now_.m_last != before.m_last))
      throw Difference("word " + std::to_string(before.m_data) + OFFERED + "changed to " +
                       std::to_string(now_.m_data));
    if (r_stays_ && !(now_.r_valid && now_.r_data == before.r_data &&
                      now_.r_response == before.r_response))
      throw Difference(std::string("an answer to reading") + OFFERED + "changed");
    if (b_stays_ && !(now_.b_valid && now_.b_response == before.b_response))
      throw Difference(std::string("an answer to writing") + OFFERED + "changed");
  }

  static void answered(const char* doing, uint32_t address, bool is_there, uint32_t got,
                       uint32_t expected) {
    const std::string what = std::string(doing) + " register " + std::to_string(address);
    must(is_there, "no answer to " + what);
    must(got == expected, what + " is answered " + std::to_string(got) + ", not " +
                              std::to_string(expected));
  }

  VerilatedContext context_;
  std::unique_ptr<Vaccelerator> dut_;
  Random random_;
  std::deque<Beat> queue_;
  std::deque<Taken> taken_;
  size_t wanted_ = 0;
  Sampled now_{};
  const uint64_t patience_;
  uint64_t cycle_ = 0, moved_ = 0;
  bool pauses_sending_ = false, pauses_taking_ = false, sent_ = false;
  bool m_stays_ = false, r_stays_ = false, b_stays_ = false;
};
