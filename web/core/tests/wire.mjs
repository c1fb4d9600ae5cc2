// docs/wire-format.md, written a second time: what a relay reads and says.

const CLASSES = [64, 256, 1024, 4096, 16384, 32768];

class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }
    byte() {
        if (this.at >= this.bytes.length) throw new Error("too short");
        return this.bytes[this.at++];
    }
    number() {
        let value = 0;
        for (let shift = 1; ; shift *= 128) {
            const byte = this.byte();
            value += (byte & 127) * shift;
            if (byte < 128) return value;
        }
    }
    take(length) {
        if (this.at + length > this.bytes.length) throw new Error("too short");
        this.at += length;
        return this.bytes.slice(this.at - length, this.at);
    }
}

function number(value) {
    const bytes = [];
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    return [...bytes, value];
}

/** The messages in whole control bytes, as a participant sends them. */
export function readControl(bytes) {
    const messages = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; ) {
        const size = view.getUint16(at);
        if (!CLASSES.includes(size)) throw new Error("no size class");
        const used = view.getUint16(at + 2);
        const padding = bytes.subarray(at + 4 + used, at + 2 + size);
        if (padding.some((byte) => byte !== 0)) throw new Error("padding");
        messages.push(readMessage(new Reader(bytes.subarray(at + 4, at + 4 + used))));
        at += 2 + size;
    }
    return messages;
}

function readMessage(reader) {
    const message = readVariant(reader);
    if (reader.at !== reader.bytes.length) throw new Error("bytes are left over");
    return message;
}

function readVariant(reader) {
    switch (reader.number()) {
        case 0: {
            const version = reader.number();
            const room = Buffer.from(reader.take(32)).toString("hex");
            const role = reader.number();
            if (reader.number() === 1) reader.take(24);
            return { kind: "hello", version, room, role };
        }
        case 1: {
            const to = reader.number() === 0 ? null : reader.number();
            return { kind: "send", to, body: reader.take(reader.number()) };
        }
        case 2:
            return { kind: "subscribe", participant: reader.number(), track: reader.byte() };
        case 3:
            return { kind: "unsubscribe", participant: reader.number(), track: reader.byte() };
        default:
            throw new Error("no such message");
    }
}

/** A message of a relay, as bytes. */
export function writeControl(message) {
    const content = Uint8Array.from(writeMessage(message));
    const size = CLASSES.find((size) => content.length + 2 <= size);
    const bytes = new Uint8Array(2 + size);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, size);
    view.setUint16(2, content.length);
    bytes.set(content, 4);
    return bytes;
}

function writeMessage(message) {
    switch (message.kind) {
        case "welcome":
            return [0, ...number(message.you), ...number(message.present.length), ...message.present.flatMap(number)];
        case "joined":
            return [1, ...number(message.participant)];
        case "left":
            return [2, ...number(message.participant)];
        case "message":
            return [3, ...number(message.from), ...number(message.body.length), ...message.body];
        case "closed":
            return [4, ...number(message.reason)];
    }
}

function u32(value) {
    return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** A bundle with one entry, of a datagram that a participant sent. */
export function bundle(from, datagram) {
    const payload = datagram.subarray(1);
    const length = payload.length < 64 ? [payload.length] : [64 | (payload.length >> 8), payload.length & 255];
    return Uint8Array.from([...u32(from), datagram[0], ...length, ...payload]);
}

/** The track of a group that a participant began, and its header as a relay writes it. */
export function groupHeader(from, up) {
    if (up[0] !== 1) throw new Error("no group");
    return { track: up[1], down: Uint8Array.from([1, ...u32(from), ...up.subarray(1, 6)]) };
}
