// A network between pages and a relay that loses packets, the same ones each time for the same seed.
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** `lost`: of each hundred, in both directions. */
export async function lossy(relayPort, lost, seed = 1) {
  const front = createSocket("udp4");
  const ways = new Map();
  let state = seed;
  const roll = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % 100;
  };
  const counted = { carried: 0, lost: 0 };
  const carry = (send) => {
    if (roll() < lost) return void (counted.lost += 1);
    counted.carried += 1;
    send();
  };
  front.on("message", (bytes, { port }) => {
    let way = ways.get(port);
    if (!way) {
      way = createSocket("udp4");
      way.on("message", (answer) => carry(() => front.send(answer, port, "127.0.0.1")));
      ways.set(port, way);
    }
    carry(() => way.send(bytes, relayPort, "127.0.0.1"));
  });
  front.bind(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: front.address().port,
    counted,
    end() {
      front.close();
      for (const way of ways.values()) way.close();
    },
  };
}
