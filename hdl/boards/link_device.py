"""The board's end of the serial link: requests to register accesses and words of two streams."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import ADDRESS_BITS
from kakure.model.link.frames import VERSION, VERSION_AT, Op, Status

from .axi_lite_client import CLIENT, AxiLiteClient
from .reply_writer import ReplyWriter
from .request_reader import FRAMED, RequestReader
from .rewindable_fifo import RewindableFifo

__all__ = ["LinkDevice"]

WORD = 32
OP_BITS = 6


class LinkDevice(wiring.Component):
    """Executes the requests of a host, one after the other, each once, and answers them.

    Equal to :class:`kakure.model.link.device.Device`, byte for byte.

    Parameters
    ----------
    depth : int, a power of two, at least 2
        Words that each of its two FIFOs holds. A frame of more finds no room.
    gap : int, at least 2
        Cycles without a byte after which a request that has begun is damaged.

    Members
    -------
    has_byte, byte : In
        A byte from the line, in this cycle. While a request is answered none is looked at.
    o : ``Out(stream.Signature(8))``
        Bytes of replies.
    words : ``Out(stream.Signature(FRAMED))``
        Words into the accelerator, with their TLAST, of requests that are whole.
    results : ``In(stream.Signature(32))``
        Words that come out of it.
    m_axi_*
        AXI4-Lite, as :class:`~kakure.hdl.boards.axi_lite_client.AxiLiteClient` has it.

    Timing
    ------
    A reply begins five cycles after the last byte of its request where no register is asked for.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    has_byte: Signal
    byte: Signal
    o: stream.Interface
    words: stream.Interface
    results: stream.Interface

    def __init__(self, *, depth: int, gap: int) -> None:
        self.reader = RequestReader(gap=gap)
        self.writer = ReplyWriter()
        self.client = AxiLiteClient()
        self.into = RewindableFifo(depth=depth, width=FRAMED.size)
        self.out = RewindableFifo(depth=depth, width=WORD)
        super().__init__({
            "has_byte": In(1),
            "byte": In(8),
            "o": Out(stream.Signature(8)),
            "words": Out(stream.Signature(FRAMED)),
            "results": In(stream.Signature(WORD)),
            **CLIENT,
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        reader, writer, client = self.reader, self.writer, self.client
        into, out, header = self.into, self.out, self.reader.header
        m.submodules.reader, m.submodules.writer, m.submodules.client = reader, writer, client
        m.submodules.into, m.submodules.out = into, out
        for name, member in CLIENT.items():
            outer, inner = getattr(self, name), getattr(client, name)
            m.d.comb += outer.eq(inner) if member.flow is Out else inner.eq(outer)

        op, argument = header.op, header.argument
        status, count = Signal(2), Signal(8)
        word = Signal(WORD)
        turn, has_turn, was_refused = Signal(), Signal(), Signal()
        fits, is_new, is_outside, is_whole = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            reader.has_byte.eq(self.has_byte),
            reader.byte.eq(self.byte),
            into.i.valid.eq(reader.words.valid & (op == Op.SEND) & fits),
            into.i.payload.eq(Value.cast(reader.words.payload)),
            into.give_up.eq(1),
            self.words.valid.eq(into.o.valid),
            Value.cast(self.words.payload).eq(into.o.payload),
            into.o.ready.eq(self.words.ready),
            out.i.valid.eq(self.results.valid),
            out.i.payload.eq(self.results.payload),
            self.results.ready.eq(out.i.ready),
            out.show.eq(1),
            client.is_write.eq(op == Op.WRITE),
            client.address.eq(argument << 2),
            client.value.eq(word),
            is_outside.eq(argument >> (ADDRESS_BITS - 2) != 0),
            is_new.eq(~has_turn | (header.turn != turn)),
            writer.kind.eq(Mux(is_whole, Cat(op, Const(0, 1), header.turn), 0)),
            writer.status.eq(status),
            writer.count.eq(count),
            writer.words.valid.eq(1),
            writer.words.payload.eq(word),
            self.o.valid.eq(writer.o.valid),
            self.o.payload.eq(writer.o.payload),
            writer.o.ready.eq(self.o.ready),
        ]
        with m.If(op == Op.RECEIVE):
            m.d.comb += [
                writer.words.valid.eq(out.o.valid),
                writer.words.payload.eq(out.o.payload),
                out.o.ready.eq(writer.words.ready),
            ]
        with m.If(reader.has_header):
            m.d.sync += fits.eq(header.count <= into.room)
        with m.If(reader.words.valid):
            m.d.sync += word.eq(reader.words.payload.word)

        with m.FSM():
            with m.State("LISTEN"):
                m.d.comb += reader.is_open.eq(1)
                with m.If(reader.is_done):
                    m.d.sync += is_whole.eq(reader.is_whole)
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.sync += [status.eq(Status.REFUSED), count.eq(0)]
                m.d.comb += into.take_back.eq(~into.show)
                m.next = "ANSWER"
                with m.If(~is_whole):
                    m.d.sync += status.eq(Status.DAMAGED)
                with m.Else():
                    m.d.comb += out.give_up.eq(is_new)  # so the reply before has come
                    with m.Switch(Cat(op, header.count)):
                        with m.Case(_form(Op.HELLO, 0)):
                            m.d.comb += [into.clear.eq(1), out.clear.eq(1)]
                            m.d.sync += [
                                status.eq(Status.OK),
                                count.eq(1),
                                word.eq(VERSION << VERSION_AT | into.depth),
                            ]
                        with m.Case(_form(Op.READ, 0)):
                            with m.If(~is_outside):
                                m.d.comb += client.start.eq(1)
                                m.next = "ACCESS"
                        with m.Case(_form(Op.WRITE, 1)):
                            with m.If(~is_new):
                                m.d.sync += status.eq(Mux(was_refused, Status.REFUSED, Status.OK))
                            with m.Elif(~is_outside):
                                m.d.comb += client.start.eq(1)
                                m.next = "ACCESS"
                        with m.Case(_form(Op.RECEIVE, 0)):
                            m.d.comb += out.rewind.eq(~is_new)
                            m.d.sync += status.eq(Status.OK)
                            m.next = "LEVEL"
                    with m.If((op == Op.SEND) & (header.count != 0)):
                        m.d.comb += into.show.eq(is_new & fits)
                        m.d.sync += status.eq(Mux(is_new & ~fits, Status.BUSY, Status.OK))
            with m.State("ACCESS"), m.If(client.is_done):
                m.d.sync += [
                    status.eq(Mux(client.is_refused, Status.REFUSED, Status.OK)),
                    count.eq((op == Op.READ) & ~client.is_refused),
                    word.eq(client.read),
                ]
                m.next = "ANSWER"
            with m.State("LEVEL"):
                m.d.sync += count.eq(Mux(out.level < argument, out.level, argument))
                m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += writer.start.eq(1)
                with m.If(is_whole & (status != Status.BUSY)):
                    m.d.sync += [
                        turn.eq(header.turn),
                        has_turn.eq(1),
                        was_refused.eq(status == Status.REFUSED),
                    ]
                m.next = "REPLY"
            with m.State("REPLY"), m.If(writer.is_done):
                m.next = "LISTEN"
        return m


def _form(op: Op, count: int) -> int:
    """A request's op and number of words, as they stand beside each other."""
    return op | count << OP_BITS
