/**
 * The share page in a real browser: on a telephone, with and without scripts, in both languages and colour schemes.
 */
import assert from 'node:assert/strict'
import { skipAloud } from '../support/real/program.ts'
import { type Api, startApi } from './support/api.ts'
import { type Browser, browserFile, startBrowser, type Tab, type View } from './support/browser.ts'

const desk: View = { width: 1100, height: 900 }
const phone: View = { width: 390, height: 844, mobile: true }

interface Shown {
  readonly name: string
  readonly value: string
  readonly purpose: string
}

async function startShop() {
  const api = await startApi()
  const account = await api.account()
  api.zone.set('m01-ahd-sys.net', { TXT: ['v=spf1 -all'] })
  api.zone.set('_spf.mail.example', { TXT: ['v=spf1 -all'] })
  api.zone.set('shop.example', {
    NS: ['ns-a1.conoha.io', 'ns-a2.conoha.io'],
    TXT: ['v=spf1 include:_spf.mail.example ~all'],
  })
  const made = await api.call('POST', '/v1/domains', { name: 'shop.example', account, selector: 'sel' })
  const share = await api.call('POST', '/v1/domains/shop.example/share')
  const records: Shown[] = made.body.records
  return { api, records, id: share.body.id as string, url: `${share.body.url}?lang=ja` }
}

function publish(api: Api, records: readonly Shown[]): void {
  for (const { name, value } of records) api.zone.set(name, { TXT: [value] })
}

const badges = (tab: Tab) =>
  tab.evaluate(`[...document.querySelectorAll('.card .badge')].map(badge => badge.textContent)`)
const click = (tab: Tab, selector: string) =>
  tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)
/** As when somebody comes back to the tab. */
const comeBack = (tab: Tab) => tab.evaluate(`void document.dispatchEvent(new Event('visibilitychange'))`)

/** Texts whose colour is too near to that behind them (WCAG 2.2 §1.4.3: 4.5). */
const faintTexts = `(() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = colour => {
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = colour
    context.fillRect(0, 0, 1, 1)
    return [...context.getImageData(0, 0, 1, 1).data]
  }
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(part => part / 255).map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor)
      if (colour[3] === 255) return colour
    }
    return [255, 255, 255]
  }
  const faint = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '')
    if (!own || !element.checkVisibility()) continue
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))]
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (contrast < 4.5) faint.push(element.tagName + '.' + element.className + ' ' + contrast.toFixed(2))
  }
  return faint
})()`

describe('the share page in a browser', () => {
  let browser: Browser
  before(async function () {
    if (browserFile === null) skipAloud(this, 'Chromium is not installed (Debian: apt-get install chromium)')
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
  })

  async function look(url: string, view: View): Promise<Tab> {
    const tab = await browser.tab(view)
    await tab.open(url)
    return tab
  }

  for (const [name, view] of Object.entries({ desk, phone }))
    for (const lang of ['ja', 'en'])
      it(`fits a ${name} in ${lang}, without a complaint, each colour readable, each control named`, async () => {
        const shop = await startShop()
        await using _ = shop.api
        for (const dark of [false, true]) {
          const tab = await look(shop.url.replace('=ja', `=${lang}`), { ...view, dark })
          assert.deepEqual(tab.complaints, [])
          assert.equal(await tab.evaluate('document.documentElement.lang'), lang)
          assert.equal(await tab.evaluate('document.documentElement.scrollWidth'), view.width)
          assert.deepEqual(await tab.evaluate(faintTexts), [])
          const unnamed = `[...document.querySelectorAll('a, button')].filter(one => !(one.ariaLabel ?? one.textContent).trim()).length`
          assert.equal(await tab.evaluate(unnamed), 0)
          const small = `[...document.querySelectorAll('button:not([hidden])')].filter(one => one.offsetHeight < 24).length`
          assert.equal(await tab.evaluate(small), 0, 'WCAG 2.2 §2.5.8')
        }
      })

  it('copies each value exactly as it is to be published', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, desk)
    for (const [index, { value }] of shop.records.entries()) {
      const last = `#record-${index + 1} .fields .field:last-child .copy, #record-${index + 1} > .field:last-child .copy`
      await click(tab, last)
      await tab.until(`document.querySelector('${last}').classList.contains('done')`)
      assert.equal(await tab.evaluate('navigator.clipboard.readText()'), value)
    }
    assert.equal(await tab.evaluate(`document.getElementById('announce').textContent`), 'コピーしました')
    assert.match(await tab.evaluate(`document.querySelector('mark').textContent`), /^ip4:210\.198\.21\.20/)
  })

  it('checks now and shows what has changed in its place', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, desk)
    assert.deepEqual(await badges(tab), ['未設定', '未設定', '未設定'])
    await tab.evaluate('window.stayed = true')
    publish(shop.api, shop.records)
    await click(tab, '#check button')
    await tab.until(`document.querySelectorAll('.badge.published').length === 3`)
    assert.equal(await tab.evaluate('window.stayed'), true, 'no new page')
    assert.equal(
      await tab.evaluate(`document.querySelector('#check button').disabled`),
      true,
      'until it is possible again',
    )
    assert.match(await tab.evaluate(`document.getElementById('announce').textContent`), /設定済/)
    assert.deepEqual(tab.complaints, [])
  })

  it('follows what others have found meanwhile', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, phone)
    publish(shop.api, shop.records.slice(1))
    await shop.api.call('POST', '/v1/domains/shop.example/verify')
    await comeBack(tab)
    await tab.until(`document.querySelectorAll('.badge.published').length === 2`)
    assert.deepEqual(await badges(tab), ['未設定', '設定済', '設定済'])
  })

  it('shows nothing any more once the link is revoked', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, phone)
    await shop.api.call('DELETE', `/v1/domains/shop.example/share/${shop.id}`)
    await comeBack(tab)
    await tab.until(`document.title === 'ページを表示できません'`)
    assert.doesNotMatch(await tab.evaluate('document.body.textContent'), /shop\.example/)
  })

  it('works without scripts: no dead buttons, and checking leads back', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, { ...phone, scripts: false })
    const visible = `[...document.querySelectorAll('button')].filter(one => one.checkVisibility()).map(one => one.textContent)`
    assert.deepEqual(await tab.evaluate(visible), ['今すぐ確認'])
    publish(shop.api, shop.records)
    await click(tab, '#check button')
    await tab.until(`document.querySelectorAll('.badge.published').length === 3`)
    assert.match(await tab.evaluate('location.pathname'), /^\/share\/[0-9a-z]+$/)
    await tab.evaluate('void location.reload()')
    await tab.until(`document.readyState === 'complete' && document.querySelectorAll('.badge.published').length === 3`)
  })

  it('prints the records and nothing to press', async () => {
    const shop = await startShop()
    await using _ = shop.api
    const tab = await look(shop.url, { ...desk, print: true })
    const pressable = `[...document.querySelectorAll('button, nav a')].filter(one => one.checkVisibility()).length`
    assert.equal(await tab.evaluate(pressable), 0)
    const text = await tab.evaluate('document.body.innerText')
    for (const { value } of shop.records) assert.ok(text.includes(value), value)
    assert.equal((await tab.pdf()).subarray(0, 5).toString(), '%PDF-')
  })
})
