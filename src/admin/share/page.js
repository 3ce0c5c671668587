/**
 * What makes the share page more comfortable in a browser with scripts: copy buttons, checking without a new page, and
 * following the state by itself. The server renders everything; this only puts its newer pieces in place.
 */
const followEveryMs = 15_000
const words = document.body.dataset
const announce = document.getElementById('announce')
/** The pieces as they came, since buttons change theirs. */
let pieces = piecesOf(document)

function piecesOf(page) {
  return new Map([...page.querySelectorAll('[data-live]')].map(piece => [piece.id, piece.outerHTML]))
}

function prepare(root) {
  for (const button of root.querySelectorAll('.copy')) button.hidden = false
  for (const button of root.querySelectorAll('[data-wait]')) waitFor(button, Number(button.dataset.wait))
}

/** A button that would only be refused is not offered. */
function waitFor(button, seconds) {
  if (seconds <= 0) return
  button.disabled = true
  setTimeout(() => {
    button.disabled = false
    button.form.querySelector('.hint')?.remove()
  }, seconds * 1000)
}

function show(text) {
  const page = new DOMParser().parseFromString(text, 'text/html')
  const fresh = piecesOf(page)
  for (const [id, source] of fresh) {
    if (pieces.get(id) === source) continue
    const old = document.getElementById(id)
    const piece = document.importNode(page.getElementById(id), true)
    if (old === null) return location.reload()
    old.replaceWith(piece)
    prepare(piece)
    tell(piece)
  }
  pieces = fresh
}

/** For those who can't see that a record changed its state. */
function tell(piece) {
  const [title, badge] = [piece.querySelector('h3'), piece.querySelector('.badge')]
  if (title && badge) announce.textContent = `${title.textContent}: ${badge.textContent}`
}

async function load(address, options) {
  const response = await fetch(address, options)
  // The link is over: the server says so.
  if (response.status === 404) return location.reload()
  if (response.ok) show(await response.text())
}

async function follow() {
  if (document.visibilityState !== 'visible') return
  // Without a connection the page stays as it is; the next try comes by itself.
  await load(location.href.replace(/#.*/, '')).catch(() => {})
}

async function check(event) {
  event.preventDefault()
  const button = event.target.querySelector('button')
  const label = button.textContent
  button.disabled = true
  button.textContent = button.dataset.checking
  try {
    await load(event.target.action, { method: 'POST' })
  } catch {
    event.target.submit()
  } finally {
    // Unless the server sent a new one.
    if (button.isConnected) {
      button.disabled = false
      button.textContent = label
    }
  }
}

async function copy(button) {
  const isCopied = await navigator.clipboard?.writeText(button.dataset.copy).then(
    () => true,
    () => false,
  )
  if (!isCopied) select(button.parentElement.querySelector('code'))
  const label = button.textContent
  const text = isCopied ? words.copied : words.copyFailed
  button.textContent = text
  announce.textContent = text
  button.classList.toggle('done', isCopied)
  setTimeout(() => {
    button.textContent = label
    button.classList.remove('done')
  }, 2000)
}

/** Without the clipboard (a page without TLS) the value is at least selected, for the usual keys. */
function select(code) {
  getSelection().selectAllChildren(code)
}

document.addEventListener('submit', event => void (event.target.id === 'check' && check(event)))
document.addEventListener('click', event => {
  const button = event.target.closest('.copy')
  if (button) copy(button)
})
const print = document.getElementById('print')
print.hidden = false
print.addEventListener('click', () => window.print())
document.addEventListener('visibilitychange', follow)
prepare(document)
setInterval(follow, followEveryMs)
