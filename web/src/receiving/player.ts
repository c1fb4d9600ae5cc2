// Where sound comes out. A stand-in: nothing does.
export class Player {
  #channel = new MessageChannel();
  readonly port = this.#channel.port1;

  static async open(): Promise<Player> {
    return new Player();
  }

  close(): void {
    this.#channel.port2.close();
  }
}
