import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { newDkimKey } from '../../src/signing/key-factory.ts'
import { dkimRecord } from '../../src/signing/key-ring.ts'
import { SigningFailed, type SigningKey, sign } from '../../src/signing/signer.ts'
import { assertLinear } from '../support/linear-time.ts'
import { corpus } from './corpus.ts'

const run = promisify(execFile)
const now = Date.UTC(2026, 0, 15, 3)
const names = Object.keys(corpus)
const plain = corpus.plain!
/** `fields + content` per corpus message, signed with an RSA and an Ed25519 key. */
const signed = new Map<string, Buffer>()
const records: Record<string, string> = {}
let keys: SigningKey[]
let folder: string

before(async () => {
  keys = [await newKey('rsa', 2048, 'rsa1'), await newKey('ed25519', 256, 'ed1')]
  for (const [name, content] of Object.entries(corpus))
    signed.set(name, onTheWire(Buffer.concat([(await sign(content, keys, now)).fields, content])))
  folder = await mkdtemp(join(tmpdir(), 'kitte-signing-'))
  for (const [index, name] of names.entries()) await writeFile(join(folder, fileOf(index)), signed.get(name)!)
  await writeFile(join(folder, 'keys.json'), JSON.stringify(records))
  const lines = Object.entries(records).map(([name, text]) => `${name}\t${text}\n`)
  await writeFile(join(folder, 'keys.txt'), lines.join(''))
})

after(() => rm(folder, { recursive: true }))

async function newKey(algorithm: 'rsa' | 'ed25519', bits: number, selector: string): Promise<SigningKey> {
  const domain = 'ours.example'
  const { privateKeyPem, publicKey } = await newDkimKey({ algorithm, bits })
  const record = dkimRecord({ domain, selector, algorithm, publicKey })
  records[record.name] = record.value
  return { domain, selector, algorithm, privateKey: createPrivateKey(privateKeyPem) }
}

/** The final dot stands on a line of its own, so what arrives always ends with CRLF (RFC 5321 §4.1.1.4). */
function onTheWire(message: Buffer): Buffer {
  return message.subarray(-2).toString() === '\r\n' ? message : Buffer.concat([message, Buffer.from('\r\n')])
}

function fileOf(index: number): string {
  return `${String(index).padStart(3, '0')}.eml`
}

/** Corpus name → verdict per algorithm, as a verifier printed them. */
function verdictsOf(output: string): Map<string, Record<string, string>> {
  const verdicts = new Map<string, Record<string, string>>()
  for (const line of output.trim().split('\n')) {
    const [file = '', algorithm = '', verdict = ''] = line.split('\t')
    const name = names[Number.parseInt(file, 10)]!
    verdicts.set(name, { ...verdicts.get(name), [algorithm]: verdict })
  }
  return verdicts
}

async function mailauthVerdicts(message: Buffer): Promise<Record<string, string>> {
  const resolver = async (name: string) => [[records[name]!]]
  const { results } = await dkimVerify(message, { resolver } as unknown as Parameters<typeof dkimVerify>[1])
  return Object.fromEntries(results.map(result => [result.algo, String(result.status.result)]))
}

const bothPass = { 'rsa-sha256': 'pass', 'ed25519-sha256': 'pass' }

describe('a signature', () => {
  for (const name of names)
    it(`verifies with mailauth: ${name}`, async () =>
      assert.deepEqual(await mailauthVerdicts(signed.get(name)!), bothPass))

  it('verifies with dkimpy, which shares no code with us, over the whole corpus', async function () {
    const python = '/usr/bin/python3'
    const missing = await run(python, ['-c', 'import dkim, nacl']).then(() => '', String)
    if (missing !== '') {
      console.log(`      skipped: python3-dkim and python3-nacl are not installed (${missing.split('\n')[0]})`)
      return this.skip()
    }
    const script = join(import.meta.dirname, 'verify-dkimpy.py')
    const verdicts = verdictsOf((await run(python, [script, folder], { maxBuffer: 1e7 })).stdout)
    assert.deepEqual(verdicts, new Map(names.map(name => [name, bothPass])))
  })

  it('verifies with Mail::DKIM, which shares no code with us, over the whole corpus', async function () {
    const missing = await run('perl', ['-MMail::DKIM::Verifier', '-e', '1']).then(() => '', String)
    if (missing !== '') {
      console.log(`      skipped: libmail-dkim-perl is not installed (${missing.split('\n')[0]})`)
      return this.skip()
    }
    const script = join(import.meta.dirname, 'verify-mail-dkim.pl')
    const verdicts = verdictsOf((await run('perl', [script, folder], { maxBuffer: 1e7 })).stdout)
    // Without CryptX this verifier knows no Ed25519; RFC 8463 §5 asks it to ignore such a signature.
    const rsa = new Map([...verdicts].map(([name, verdict]) => [name, verdict['rsa-sha256']]))
    assert.deepEqual(rsa, new Map(names.map(name => [name, 'pass'])))
  })
})

describe('the signer', () => {
  const fieldsOf = async (content: Buffer | { path: string }, some = keys) =>
    (await sign(content, some, now)).fields.toString('latin1')
  const unfolded = (fields: string) => fields.replace(/\r\n[ \t]+/g, ' ')

  it('signs a file exactly as it signs a buffer', async () => {
    for (const [name, content] of Object.entries(corpus)) {
      const path = join(folder, 'content')
      await writeFile(path, content)
      assert.equal(await fieldsOf({ path }), await fieldsOf(content), name)
    }
  })

  it('lists From once more than present, and every other field as often as present', async () => {
    const fields = unfolded(await fieldsOf(corpus['two subjects']!))
    assert.match(fields, /; h=From:From:To:Subject:Subject; b=/)
    assert.match(unfolded(await fieldsOf(corpus['two From']!)), /; h=From:From:From:Subject; b=/)
  })

  it('breaks when a second From is put on top', async () => {
    const forged = Buffer.concat([Buffer.from('From: boss@ours.example\r\n'), signed.get('plain')!])
    const verdicts = await mailauthVerdicts(forged)
    assert.notEqual(verdicts['rsa-sha256'], 'pass')
  })

  it('uses the simple header canonicalization where others would see white space', async () => {
    const used = async (name: string) => /c=(\S+);/.exec(await fieldsOf(corpus[name]!))![1]
    assert.equal(await used('plain'), 'relaxed/relaxed')
    assert.equal(await used('raw 8-bit subject'), 'relaxed/relaxed')
    for (const name of [
      'byte A0 in the subject',
      'byte 85 at the end',
      'vertical tab and form feed',
      'control characters',
    ])
      assert.equal(await used(name), 'simple/relaxed', name)
    assert.equal(await used('odd bytes at body line ends'), 'relaxed/relaxed')
  })

  it('writes t= but neither l= nor x=, in lines of at most 78 characters that end with CRLF', async () => {
    const fields = await fieldsOf(corpus['all list headers']!)
    assert.match(fields, /\bt=1768446000;/)
    assert.doesNotMatch(unfolded(fields), /; ?[lxz]=/)
    assert.ok(fields.endsWith('\r\n'))
    for (const line of fields.split('\r\n')) assert.ok(line.length <= 78, line)
  })

  it('names the keys in their order', async () => {
    const { names: used } = await sign(plain, keys, now)
    assert.deepEqual(used, ['rsa1._domainkey.ours.example', 'ed1._domainkey.ours.example'])
  })

  it('writes nothing without keys', async () => {
    assert.deepEqual(await sign(plain, [], now), { fields: Buffer.alloc(0), names: [] })
  })

  it('refuses a message without From', async () => {
    await assert.rejects(sign(Buffer.from('Subject: x\r\n\r\nbody'), keys, now), SigningFailed)
    await assert.rejects(sign(Buffer.from('\r\nFrom: a@ours.example\r\n'), keys, now), SigningFailed)
  })

  it('refuses a key of another kind than it says', async () => {
    const wrong = { ...keys[1]!, algorithm: 'rsa' } as SigningKey
    await assert.rejects(sign(plain, [wrong], now), SigningFailed)
  })

  it('fails when the file is gone', async () => {
    await assert.rejects(sign({ path: join(folder, 'gone') }, keys, now), { code: 'ENOENT' })
  })

  it('takes linear time on folds', () =>
    assertLinear(25_000, folds => {
      const folded = `From: a@ours.example\r\nReferences: x${'\r\n a'.repeat(folds)}\r\n\r\nx\r\n`
      return sign(Buffer.from(folded), keys, now)
    }))

  it('reads a file of 30 MB without holding it', async () => {
    const path = join(folder, 'large')
    const part = Buffer.from(`${'The quick brown fox jumps. '.repeat(36)}\r\n`.repeat(1000))
    const parts = Array.from({ length: 32 }, () => part)
    await writeFile(path, Buffer.concat([Buffer.from('From: a@ours.example\r\n\r\n'), ...parts]))
    const held = () => process.memoryUsage().arrayBuffers
    const before = held()
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, held() - before)), 1)
    await sign({ path }, keys, now)
    clearInterval(watch)
    assert.ok(most < 4_000_000, `${most} bytes`)
  })
})
