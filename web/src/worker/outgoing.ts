// A unidirectional stream on its way out. Pieces are written in order, and each is reported when the network
// took it: that is how the core knows that a line is slow.

export interface OutgoingEvents {
  wrote(): void;
  /** It takes nothing any more, and not by our own wish. */
  stopped(): void;
  over(): void;
}

export class Outgoing {
  #writer: Promise<WritableStreamDefaultWriter<Uint8Array>>;
  #last: Promise<unknown>;
  #events: OutgoingEvents;
  #ended = false;
  #finished!: () => void;
  /** All of it is out, or none will be any more. */
  readonly done = new Promise<void>((resolve) => (this.#finished = resolve));

  constructor(transport: WebTransport, order: number, events: OutgoingEvents) {
    this.#events = events;
    const options = { sendOrder: order, waitUntilAvailable: true };
    this.#writer = transport.createUnidirectionalStream(options).then((stream: WritableStream<Uint8Array>) => stream.getWriter());
    this.#last = this.#writer;
    this.#writer.then((writer) => writer.closed).catch(() => this.#stop());
  }

  write(bytes: Uint8Array): void {
    this.#then(async (writer) => {
      await writer.write(bytes);
      this.#events.wrote();
    });
  }

  finish(): void {
    this.#then(async (writer) => {
      await writer.close();
      this.#end();
    });
  }

  reset(): void {
    this.#end();
    // Without a reason the code is 0.
    this.#writer.then((writer) => writer.abort()).catch(() => undefined);
  }

  #then(act: (writer: WritableStreamDefaultWriter<Uint8Array>) => Promise<void>): void {
    this.#last = this.#last.then(async () => !this.#ended && act(await this.#writer)).catch(() => this.#stop());
  }

  #stop(): void {
    if (this.#ended) return;
    this.#end();
    this.#events.stopped();
  }

  #end(): void {
    this.#ended = true;
    this.#finished();
    this.#events.over();
  }
}
