// The built module as a page has it: a whole meeting between its instances' sessions. The relay's wire is
// written a second time in wire.mjs; links are those that are pinned for native participants.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { initSync, meetingWords, newMeeting, readLink, wordList } from "../pkg/sottovoce.js";
import { PICTURE, SOUND, World } from "./world.mjs";

initSync({ module: readFileSync(new URL("../pkg/sottovoce_bg.wasm", import.meta.url)) });

const RELAY = `https://192.0.2.1:4433/#${"A".repeat(43)}`;

function drawn(more) {
    return newMeeting({ relays: [RELAY], title: "Reading circle", ...more });
}

/** A host who is in, and somebody who knocked. */
function knocked() {
    const world = new World();
    const links = drawn();
    const host = world.join(links.host, { name: "Ada" });
    const guest = world.join(links.meeting, { name: "Bea" });
    world.run(3000);
    assert.equal(host.last("title").title, "Reading circle");
    assert.deepEqual(guest.last("waiting"), { kind: "waiting", for: "decision" });
    const { number, name } = host.last("knock");
    assert.equal(name, "Bea");
    return { world, links, host, guest, number };
}

function met() {
    const all = knocked();
    all.host.do((session, now) => session.admit(now, all.number));
    all.world.run(3000);
    for (const page of [all.host, all.guest]) assert.ok(page.last("inside"));
    return all;
}

test("links are read as native participants make them", () => {
    const golden = (name) => readFileSync(new URL(`../../../tests/golden/links/${name}`, import.meta.url), "utf8");
    const meeting = readLink(golden("meeting.txt"));
    assert.equal(meeting.kind, "meeting");
    assert.deepEqual(meeting.relays.map((relay) => relay.authority), ["127.0.0.1:4433", "[2001:db8::1]:443"]);
    assert.deepEqual(meeting.relays.map((relay) => relay.hashes.length), [2, 0]);
    assert.equal(meeting.bundle, golden("bundle_hash.hex").trim());
    const host = readLink(golden("host.txt").split("#")[1]);
    assert.deepEqual([host.kind, host.rank, host.title], ["host", 0, "Reading circle"]);
    assert.equal(readLink(golden("co_host_2.txt")).rank, 2);
    assert.throws(() => readLink("https://relay.example/"), { message: "not-a-link" });
    assert.throws(() => readLink(meeting.link.slice(0, -1)), { message: "mangled" });
});

test("links of a new meeting are made here, and no two are alike", () => {
    const [one, another] = [drawn({ coHosts: 1 }), drawn({ vigil: true })];
    assert.notEqual(one.meeting, another.meeting);
    assert.deepEqual([readLink(one.host).kind, readLink(one.coHosts[0]).kind], ["host", "co-host"]);
    assert.equal(readLink(another.meeting).kind, "vigil");
    assert.throws(() => newMeeting({ relays: ["https://192.0.2.1/"] }), { message: "no-hashes" });
});

test("somebody is let in, speaks, is seen and heard", () => {
    const { world, host, guest } = met();
    guest.listenTo("Ada");
    const bea = host.listenTo("Bea");
    assert.ok(host.do((session, now) => session.say(now, "good evening")));
    world.run(100);
    assert.equal(guest.last("chat").text, "good evening");
    host.send(SOUND, true, "sound");
    host.send(PICTURE, true, "key frame");
    host.send(PICTURE, false, "another");
    guest.send(SOUND, true, "an answer");
    world.run(100);
    assert.deepEqual(guest.opened(SOUND), ["sound"]);
    assert.deepEqual(guest.opened(PICTURE), ["key frame", "another"]);
    assert.deepEqual(host.opened(SOUND), ["an answer"]);
    const frame = guest.last("frame");
    assert.deepEqual([frame.timestamp, frame.keyframe, frame.number], [20_000, false, 1]);
    host.do((session, now) => session.who(now));
    assert.deepEqual(host.last("roster").members.map((one) => one.name), ["Ada", "Bea"]);
    guest.do((session, now) => session.leave(now));
    world.run(1000);
    assert.equal(guest.last("over").why, "left");
    assert.deepEqual(host.last("gone"), { kind: "gone", who: bea, why: "left" });
});

test("who is removed is told, and gone for the others", () => {
    const { world, host, guest } = met();
    const bea = host.listenTo("Bea");
    host.do((session, now) => session.remove(now, bea));
    world.run(2000);
    assert.equal(guest.last("over").why, "removed");
    assert.equal(guest.session.deadline(), undefined);
    assert.deepEqual(host.last("gone"), { kind: "gone", who: bea, why: "removed" });
    assert.equal(readLink(host.last("link").link).kind, "meeting");
});

test("who is removed opens nothing more, though the relay keeps it from knowing", () => {
    const { world, host, guest } = met();
    guest.listenTo("Ada");
    const bea = host.listenTo("Bea");
    host.send(SOUND, true, "to both");
    world.withheld = guest;
    host.send(SOUND, true, "to both again");
    host.do((session, now) => session.remove(now, bea));
    host.send(SOUND, true, "among ourselves");
    world.run(500);
    assert.equal(world.given, 2, "it was given all of it");
    assert.deepEqual(guest.opened(SOUND), ["to both", "to both again"]);
    assert.equal(guest.last("over"), undefined);
});

test("who is not let in sees nothing, and lock and unlock hold", () => {
    const { world, links, host, guest, number } = knocked();
    host.do((session, now) => session.deny(now, number));
    world.run(2000);
    assert.equal(guest.last("over").why, "denied");
    assert.deepEqual([...guest.all("person"), ...guest.all("frame"), ...guest.all("chat")], []);
    host.do((session, now) => session.lock(now, true));
    const late = world.join(links.meeting, { name: "Cem" });
    world.run(3000);
    assert.equal(late.last("waiting").for, "unlock");
    host.do((session, now) => session.admitAll(now, true));
    host.do((session, now) => session.lock(now, false));
    world.run(10_000);
    assert.ok(late.last("inside"));
});

test("both who compare see the same two words, and everybody the same five", () => {
    const { world, links, host, guest, number } = knocked();
    host.do((session, now) => session.compare(now, number));
    world.run(1000);
    const words = host.last("compare").words;
    assert.equal(words.length, 2);
    assert.deepEqual(guest.last("compare").words, words);
    host.do((session, now) => session.sameWords(now, number, true));
    world.run(1000);
    const five = [links.host, links.meeting].map((link) => meetingWords(readLink(link).bundle));
    assert.equal(five[0].length, 5);
    assert.deepEqual(five[0], five[1]);
    assert.equal(meetingWords("no bundle"), undefined);
    for (const language of ["en", "it-IT", "zh-Hant-TW", "zh", "ug"]) {
        const name = `../../../src/meeting/verify/lists/${wordList(language)}.txt`;
        const list = readFileSync(new URL(name, import.meta.url), "utf8").trimEnd().split("\n");
        assert.equal(list.length, 2048);
        for (const place of [...words, ...five[0]]) assert.ok(list[place]);
    }
});

test("what is changed on its way does not open", () => {
    const { world, host, guest } = met();
    guest.listenTo("Ada");
    world.change = (bytes) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
    host.send(SOUND, true, "sound");
    world.run(100);
    assert.deepEqual(guest.opened(SOUND), []);
    world.change = (bytes) => bytes;
    host.send(SOUND, true, "sound");
    world.run(100);
    assert.deepEqual(guest.opened(SOUND), ["sound"]);
});

test("a relay that restarts is found again, and all are back", () => {
    const { world, host, guest } = met();
    world.end(1);
    world.run(12_000);
    for (const page of [host, guest]) {
        assert.equal(page.last("reconnecting").reason, "restarting");
        assert.ok(page.last("reconnected"));
    }
    assert.ok(guest.do((session, now) => session.say(now, "here again")));
    world.run(1000);
    assert.equal(host.last("chat").text, "here again");
});

test("a hand is seen, a screen is told from a face, and the host ends it for all", () => {
    const { world, host, guest } = met();
    assert.deepEqual(host.last("standing"), { ...host.last("standing"), hand: false, muted: false, playing: false });
    const standing = { hand: true, muted: true, playing: false };
    guest.do((session, now) => session.show(now, standing));
    world.run(100);
    assert.deepEqual(host.last("standing"), { kind: "standing", who: host.last("person").who, ...standing });
    assert.throws(() => guest.do((session, now) => session.show(now, { hand: 1 })), { message: "options" });
    const tracks = [{ codec: "vp8", track: 3, width: 640, height: 360, screen: true }];
    guest.do((session, now) => session.tracks(now, tracks));
    world.run(100);
    assert.deepEqual(host.last("person").tracks.map((track) => track.screen), [true]);
    guest.do((session, now) => session.endForAll(now));
    world.run(5000);
    assert.equal(host.last("over"), undefined, "a guest cannot");
    assert.ok(host.do((session, now) => session.endForAll(now)));
    world.run(100);
    assert.equal(guest.last("over").why, "ended");
    world.run(4000);
    assert.equal(host.last("over").why, "ended");
});

test("whoever has a vigil's link watches, and nobody sees who", () => {
    const world = new World();
    const links = drawn({ vigil: true });
    const host = world.join(links.host, { name: "Ada" });
    world.run(3000);
    const viewer = world.join(links.meeting, { name: "nobody" });
    world.run(8000);
    assert.equal(viewer.last("vigil").speaks, false);
    viewer.listenTo("Ada");
    host.send(SOUND, true, "to all");
    world.run(2000);
    assert.deepEqual(viewer.opened(SOUND), ["to all"]);
    assert.deepEqual(host.all("person"), []);
    assert.equal(viewer.do((session, now) => session.say(now, "hello")), false);
});

test("what cannot be joined says why", () => {
    const world = new World();
    const { meeting } = drawn();
    const fault = (link, options) => assert.throws.bind(null, () => world.join(link, options));
    fault(meeting, { name: " " })({ message: "name" });
    fault("nothing", { name: "Ada" })({ message: "mangled" });
    fault(meeting, { name: "Ada", tracks: [{ codec: "opus", track: 15, channels: 1 }] })({ message: "tracks" });
    fault(meeting, { name: "Ada", tracks: [{ codec: "mp3", track: 1 }] })({ message: "options" });
});
