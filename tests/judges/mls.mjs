// A member of a group by ts-mls, driven over standard input and output: a request and its answer are
// a line of JSON each, bytes in hexadecimal. What ts-mls refuses is answered with `refused`.

import { webcrypto } from "node:crypto"
import { createInterface } from "node:readline"
// One by one: what they all come together in also wants packages for suites that are not ours.
import { createGroup, joinGroup } from "ts-mls/clientState.js"
import { createCommit } from "ts-mls/createCommit.js"
import { createApplicationMessage, createProposal } from "ts-mls/createMessage.js"
import { getCiphersuiteFromName } from "ts-mls/crypto/ciphersuite.js"
import { getCiphersuiteImpl } from "ts-mls/crypto/getCiphersuiteImpl.js"
import { defaultCapabilities } from "ts-mls/defaultCapabilities.js"
import { acceptAll } from "ts-mls/incomingMessageAction.js"
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js"
import { mlsExporter } from "ts-mls/keySchedule.js"
import { defaultLifetime } from "ts-mls/lifetime.js"
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js"
import { processMessage } from "ts-mls/processMessages.js"
import { emptyPskIndex } from "ts-mls/pskIndex.js"

// Node 18 has it behind an option.
globalThis.crypto ??= webcrypto

const SUITE = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"
const suite = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE))

// What a leaf of sottovoce says, and one of anybody who uses ts-mls as it comes.
const capabilities = {
  sottovoce: {
    versions: ["mls10"],
    ciphersuites: [SUITE],
    extensions: [0xf5c0],
    proposals: [],
    credentials: ["basic"],
  },
  "ts-mls": { ...defaultCapabilities(), ciphersuites: [SUITE], extensions: [0xf5c0] },
}
const lifetimes = {
  sottovoce: { notBefore: 0n, notAfter: 0xffffffffffffffffn },
  "ts-mls": defaultLifetime,
}

const hex = (bytes) => Buffer.from(bytes).toString("hex")
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"))

let signatureKeys, keys, state

// Sottovoce passes key packages on as they are, without the four bytes of an MLSMessage around them.
const HEADER = bytes("00010005")
const wrapped = (keyPackage) => read(hex(HEADER) + keyPackage).keyPackage
const written = (message) => hex(encodeMlsMessage({ version: "mls10", ...message }))

function read(text) {
  const [message, length] = decodeMlsMessage(bytes(text), 0) ?? []
  if (length !== text.length / 2) throw new Error("no MLS message")
  return message
}

const operations = {
  async sign_key() {
    signatureKeys = await suite.signature.keygen()
    return { sign_key: hex(signatureKeys.publicKey) }
  },

  async key_package({ identity, can, lives }) {
    const credential = { credentialType: "basic", identity: bytes(identity) }
    keys = await generateKeyPackageWithKey(
      credential, capabilities[can], lifetimes[lives], [], signatureKeys, suite,
    )
    const keyPackage = keys.publicPackage
    return { key_package: written({ wireformat: "mls_key_package", keyPackage }).slice(8) }
  },

  async found({ group, bundle }) {
    const extensions = [{ extensionType: 0xf5c0, extensionData: bytes(bundle) }]
    state = await createGroup(bytes(group), keys.publicPackage, keys.privatePackage, extensions, suite)
    return {}
  },

  async join({ welcome }) {
    const message = read(welcome)
    state = await joinGroup(message.welcome, keys.publicPackage, keys.privatePackage, emptyPskIndex, suite)
    return {}
  },

  // With `forged`, signed by a key that is no member's.
  async say({ said, forged = false }) {
    const { signKey } = await suite.signature.keygen()
    const from = forged ? { ...state, signaturePrivateKey: signKey } : state
    const { newState, privateMessage } = await createApplicationMessage(from, bytes(said), suite)
    state = { ...newState, signaturePrivateKey: state.signaturePrivateKey }
    return { message: written({ wireformat: "mls_private_message", privateMessage }) }
  },

  async take({ message }) {
    const taken = await processMessage(read(message), state, emptyPskIndex, acceptAll, suite)
    state = taken.newState
    if (taken.kind === "applicationMessage") return { said: hex(taken.message) }
    return { removed_me: state.groupActiveState.kind === "removedFromGroup" }
  },

  // With `forget`, nothing comes of it here.
  async commit({ add = [], remove = [], in_the_clear = false, forget = false }) {
    const extraProposals = [
      ...remove.map((removed) => ({ proposalType: "remove", remove: { removed } })),
      ...add.map((keyPackage) => ({ proposalType: "add", add: { keyPackage: wrapped(keyPackage) } })),
    ]
    const options = { extraProposals, ratchetTreeExtension: true, wireAsPublicMessage: in_the_clear }
    const made = await createCommit({ state, cipherSuite: suite }, options)
    if (!forget) state = made.newState
    const { welcome } = made
    return {
      commit: hex(encodeMlsMessage(made.commit)),
      welcome: welcome && written({ wireformat: "mls_welcome", welcome }),
    }
  },

  async propose_removal({ leaf }) {
    const proposal = { proposalType: "remove", remove: { removed: leaf } }
    const { message } = await createProposal(state, false, proposal, suite)
    return { message: hex(encodeMlsMessage(message)) }
  },

  async export({ label, context }) {
    const secret = await mlsExporter(state.keySchedule.exporterSecret, label, bytes(context), 32, suite)
    return { secret: hex(secret) }
  },

  async view() {
    const roster = state.ratchetTree.flatMap((node, index) =>
      node?.nodeType === "leaf"
        ? [{ leaf: index / 2, identity: hex(node.leaf.credential.identity), sign_key: hex(node.leaf.signaturePublicKey) }]
        : [],
    )
    return {
      group: hex(state.groupContext.groupId),
      epoch: Number(state.groupContext.epoch),
      authenticator: hex(state.keySchedule.epochAuthenticator),
      roster,
    }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...request } = JSON.parse(line)
  const answer = await operations[operation](request).catch((error) => ({ refused: String(error) }))
  console.log(JSON.stringify(answer))
}
