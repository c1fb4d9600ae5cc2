// Pages without a page, and a relay in memory, on one clock: what TypeScript would do with each `Out`.

import { Session } from "../pkg/sottovoce.js";
import { bundle, groupHeader, readControl, writeControl } from "./wire.mjs";

const UP_HEADER = 6;
export const SOUND = 1;
export const PICTURE = 2;
const TRACKS = [
    { codec: "opus", track: SOUND, channels: 1 },
    { codec: "vp8", track: PICTURE, width: 320, height: 180 },
];

export class World {
    constructor() {
        this.now = 1000;
        this.pages = [];
        this.connections = [];
        this.parcels = [];
        this.nextId = 4_000_000_000;
        this.nextStream = 0;
        /** A page from which the relay keeps all messages, and how many datagrams it gave to it. */
        this.withheld = null;
        this.given = 0;
        /** Changes what is on its way, if a test wants it. */
        this.change = (bytes) => bytes;
    }

    join(link, options) {
        const page = new Page(this, new Session(this.now, link, { tracks: TRACKS, ...options }));
        this.pages.push(page);
        page.do(() => {});
        return page;
    }

    run(milliseconds) {
        for (const until = this.now + milliseconds; this.now < until; ) {
            this.now += 10;
            for (const page of this.pages) {
                const due = page.session.deadline();
                if (due !== undefined && due <= this.now) page.do((session, now) => session.tick(now));
            }
        }
    }

    /** The relay ends all connections with this code. */
    end(code) {
        for (const one of this.connections.splice(0)) {
            this.parcels.push(() => one.page.do((session, now) => session.lost(now, one.line, code)));
        }
        this.deliver();
    }

    deliver() {
        while (this.parcels.length > 0) this.parcels.shift()();
    }

    tell(one, message) {
        if (one.page === this.withheld) return;
        const bytes = writeControl(message);
        this.parcels.push(() => one.page.do((session, now) => session.control(now, one.line, bytes)));
    }

    toRoom(from, message) {
        for (const one of this.connections) {
            if (one.room === from.room && one !== from) this.tell(one, message);
        }
    }

    control(one, message) {
        switch (message.kind) {
            case "hello": {
                if (message.version !== 2) throw new Error("another version");
                one.room = message.room;
                const others = this.connections.filter((other) => other.room === one.room && other !== one);
                this.tell(one, { kind: "welcome", you: one.id, present: others.map((other) => other.id) });
                return this.toRoom(one, { kind: "joined", participant: one.id });
            }
            case "send": {
                const sent = { kind: "message", from: one.id, body: message.body };
                if (message.to === null) return this.toRoom(one, sent);
                const to = this.connections.find((other) => other.room === one.room && other.id === message.to);
                return to && this.tell(to, sent);
            }
            case "subscribe":
                return one.wishes.add(`${message.participant} ${message.track}`);
            case "unsubscribe":
                return one.wishes.delete(`${message.participant} ${message.track}`);
        }
    }

    listeners(one, track) {
        return this.connections.filter((other) => other.room === one.room && other.wishes.has(`${one.id} ${track}`));
    }

    close(one) {
        this.connections = this.connections.filter((other) => other !== one);
        this.toRoom(one, { kind: "left", participant: one.id });
    }
}

class Page {
    constructor(world, session) {
        this.world = world;
        this.session = session;
        this.said = [];
    }

    /** Does something with the session, and all that follows. */
    do(work) {
        const done = work(this.session, this.world.now);
        for (let out; (out = this.session.poll()) !== undefined; ) {
            this.said.push(out);
            this.carry(out);
        }
        this.world.deliver();
        return done;
    }

    all(kind) {
        return this.said.filter((out) => out.kind === kind);
    }

    last(kind) {
        return this.all(kind).at(-1);
    }

    /** Listens to everything that somebody has. */
    listenTo(name) {
        const { who, tracks } = this.said.findLast((out) => out.kind === "person" && out.name === name);
        for (const { track } of tracks) this.do((session, now) => session.listen(now, who, track, true));
        return who;
    }

    send(track, keyframe, text) {
        const bytes = new TextEncoder().encode(text);
        this.do((session, now) => session.send(now, track, 20_000, keyframe, undefined, bytes));
    }

    /** What was opened, as texts. */
    opened(track) {
        const frames = this.all("frame").filter((frame) => frame.track === track);
        return frames.map((frame) => new TextDecoder().decode(frame.bytes));
    }

    carry(out) {
        const world = this.world;
        const one = world.connections.find((one) => one.page === this && one.line === out.line);
        switch (out.kind) {
            case "connect": {
                const id = (world.nextId += 1);
                const page = this;
                world.connections.push({ page, line: out.line, id, room: null, wishes: new Set(), streams: new Map() });
                return world.parcels.push(() => this.do((session, now) => session.connected(now, out.line)));
            }
            case "close":
                return one && world.close(one);
            case "control":
                return one && readControl(out.bytes).forEach((message) => world.control(one, message));
            case "datagram": {
                const bytes = world.change(bundle(one.id, out.bytes));
                for (const { page, line } of world.listeners(one, out.bytes[0])) {
                    if (page === world.withheld) world.given += 1;
                    world.parcels.push(() => page.do((session, now) => session.datagram(now, line, bytes)));
                }
                return;
            }
            case "open":
                return one?.streams.set(out.stream, { number: (world.nextStream += 1), track: null });
            case "write":
                return one && this.write(one, out);
            case "finish":
            case "reset": {
                const stream = one?.streams.get(out.stream);
                for (const { page, line } of stream ? world.listeners(one, stream.track) : []) {
                    world.parcels.push(() => page.do((session, now) => session.groupOver(now, line, stream.number)));
                }
            }
        }
    }

    write(one, out) {
        const world = this.world;
        world.parcels.push(() => this.do((session, now) => session.wrote(now, out.line, out.stream)));
        const stream = one.streams.get(out.stream);
        let pieces = [out.bytes];
        if (stream.track === null) {
            const { track, down } = groupHeader(one.id, out.bytes);
            stream.track = track;
            pieces = [down, out.bytes.subarray(UP_HEADER)];
        }
        for (const { page, line } of world.listeners(one, stream.track)) {
            for (const piece of pieces.filter((piece) => piece.length > 0)) {
                const bytes = world.change(piece);
                world.parcels.push(() => page.do((session, now) => session.group(now, line, stream.number, bytes)));
            }
        }
    }
}
