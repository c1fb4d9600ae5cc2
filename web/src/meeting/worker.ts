// The page's end of a worker: questions and their answers, and what it says by itself.
import type { Answers, FromWorker, Question, ToWorker } from "../worker/messages.ts";

export type Saying = Exclude<FromWorker, { kind: "answer" | "refused" }>;

/** What web/core, or the worker, says is wrong. */
export class Refused extends Error {
  readonly fault: string;

  constructor(fault: string) {
    super(fault);
    this.fault = fault;
  }
}

/** A picture that nobody draws has to be closed all the same. */
export function drop(saying: Saying): void {
  if (saying.kind === "picture") saying.picture.close();
}

export class Core {
  #worker: Worker;
  #questions = new Map<number, { answer: (answer: never) => void; refuse: (error: Refused) => void }>();
  #count = 0;
  #said = drop;
  #broken = false;

  constructor() {
    this.#worker = new Worker(new URL("session.js", document.baseURI), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    // It did not load, or something in it was not caught.
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#break();
    };
    this.#worker.onmessageerror = () => this.#break();
  }

  get broken(): boolean {
    return this.#broken;
  }

  ask<Q extends keyof Answers>(what: Q, ask: Answers[Q]["ask"]): Promise<Answers[Q]["answer"]> {
    return new Promise((answer, refuse) => {
      if (this.#broken) return refuse(new Refused("no-core"));
      const number = (this.#count += 1);
      this.#questions.set(number, { answer, refuse });
      this.send({ do: what, number, ask } as Question);
    });
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  listen(said: (saying: Saying) => void): void {
    this.#said = said;
    if (this.#broken) said({ kind: "fault", why: "no-core" });
  }

  end(): void {
    this.#said = drop;
    this.#worker.terminate();
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "answer":
        this.#questions.get(message.number)?.answer(message.answer as never);
        return void this.#questions.delete(message.number);
      case "refused":
        this.#questions.get(message.number)?.refuse(new Refused(message.fault));
        return void this.#questions.delete(message.number);
      default:
        this.#said(message);
    }
  }

  #break(): void {
    this.#broken = true;
    for (const { refuse } of this.#questions.values()) refuse(new Refused("no-core"));
    this.#questions.clear();
    this.#said({ kind: "fault", why: "fault" });
  }
}
