// One connection to a relay, or the attempt at one: bytes both ways, and nothing of what they mean.
import { Outgoing } from "./outgoing.ts";

/** How long what was sent may take to go out, once the connection is to be closed. */
const CLOSING_MS = 3000;

/** Datagrams that may wait for the network: sound that is half a second old is better left out. */
const WAITING = 25;

export interface LineEvents {
  connected(): void;
  /** `code`: what the relay closed it with, if it did. */
  lost(code?: number): void;
  failed(): void;
  control(bytes: Uint8Array): void;
  datagram(bytes: Uint8Array): void;
  group(stream: number, bytes: Uint8Array): void;
  groupOver(stream: number): void;
  wrote(stream: number): void;
  stopped(stream: number): void;
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Writer = WritableStreamDefaultWriter<Uint8Array>;

export class Line {
  #events: LineEvents;
  #transport: WebTransport | null = null;
  #control: Writer | null = null;
  #datagrams: Writer | null = null;
  #waiting = 0;
  #outgoing = new Map<number, Outgoing>();
  #incoming = new Map<number, Reader>();
  #streams = 0;
  /** Nothing more is told of it. */
  #over = false;

  constructor(authority: string, hashes: readonly Uint8Array[], events: LineEvents) {
    this.#events = events;
    this.#open(authority, hashes).catch(() => this.#lost());
  }

  async #open(authority: string, hashes: readonly Uint8Array[]): Promise<void> {
    const options: WebTransportOptions = {};
    if (hashes.length > 0) {
      options.serverCertificateHashes = hashes.map((value) => ({ algorithm: "sha-256", value: value.slice() }));
    }
    const transport = new WebTransport(`https://${authority}/`, options);
    this.#transport = transport;
    transport.closed.then(({ closeCode }) => this.#lost(closeCode), () => this.#lost());
    await transport.ready;
    const { readable, writable } = await transport.createBidirectionalStream();
    const { datagrams } = transport as { datagrams: WebTransportDatagramDuplexStream & { createWritable?(): WritableStream } };
    datagrams.incomingHighWaterMark = 1000;
    this.#datagrams = (datagrams.createWritable?.() ?? datagrams.writable).getWriter();
    this.#control = writable.getWriter();
    if (this.#over) return transport.close();
    this.#events.connected();
    this.#read(readable.getReader(), (bytes) => this.#events.control(bytes));
    this.#read(datagrams.readable.getReader(), (bytes) => this.#events.datagram(bytes));
    this.#read(transport.incomingUnidirectionalStreams.getReader(), (stream: ReadableStream<Uint8Array>) => this.#group(stream));
  }

  /** Reads to the end, which `closed` tells better. */
  async #read<T>(reader: ReadableStreamDefaultReader<T>, took: (value: T) => void): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.#over) return;
        took(value);
      }
    } catch {
      // The stream was reset, or the connection is lost.
    }
  }

  async #group(stream: ReadableStream<Uint8Array>): Promise<void> {
    const number = (this.#streams += 1);
    const reader = stream.getReader();
    this.#incoming.set(number, reader);
    await this.#read(reader, (bytes) => this.#events.group(number, bytes));
    this.#incoming.delete(number);
    if (!this.#over) this.#events.groupOver(number);
  }

  #lost(code?: number): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#control) this.#events.lost(code);
    else this.#events.failed();
    this.#transport?.close();
  }

  control(bytes: Uint8Array): void {
    // What does not go out is told by `closed`.
    this.#control?.write(bytes).catch(() => undefined);
  }

  datagram(bytes: Uint8Array): void {
    const size = this.#transport?.datagrams.maxDatagramSize ?? 0;
    if (!this.#datagrams || bytes.length > size || this.#waiting >= WAITING) return;
    this.#waiting += 1;
    const taken = () => (this.#waiting -= 1);
    this.#datagrams.write(bytes).then(taken, taken);
  }

  open(stream: number, order: number): void {
    if (!this.#transport) return;
    this.#outgoing.set(stream, new Outgoing(this.#transport, order, {
      wrote: () => this.#over || this.#events.wrote(stream),
      stopped: () => this.#over || this.#events.stopped(stream),
      over: () => this.#outgoing.delete(stream),
    }));
  }

  write(stream: number, bytes: Uint8Array): void {
    this.#outgoing.get(stream)?.write(bytes);
  }

  finish(stream: number): void {
    this.#outgoing.get(stream)?.finish();
  }

  reset(stream: number): void {
    this.#outgoing.get(stream)?.reset();
  }

  stop(stream: number): void {
    this.#incoming.get(stream)?.cancel().catch(() => undefined);
    this.#incoming.delete(stream);
  }

  /** What was sent goes out, and then it is closed. */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const control = this.#control;
    if (control) {
      const groups = [...this.#outgoing.values()].map((group) => group.done);
      // The control stream's end makes the relay close, so it comes last. That it does says that it has all:
      // Firefox throws away what is under way when a connection is closed from here.
      const gone = Promise.allSettled(groups).then(() => control.close()).then(() => this.#transport?.closed).catch(() => undefined);
      await Promise.race([gone, new Promise((late) => setTimeout(late, CLOSING_MS))]);
    }
    this.#transport?.close({ closeCode: 0, reason: "" });
  }
}
