// Enhances the pages. Every page works without it.

// Browsers apply `autofocus` on the first load themselves, and log a warning if the focus is already set.
const afterFirstFocus = requestAnimationFrame;
const WHOLE_KEY = /[a-z][a-z0-9]{1,9}_[0-9A-Za-z]{38}/;

// The server formats all times in the zone of this cookie.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone && !document.cookie.split('; ').includes(`tz=${timeZone}`)) {
  document.cookie = `tz=${timeZone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
}

// A complete key in the search field must not end up in an address, even with other text around it.
const search = document.querySelector('form.search');
search?.addEventListener('submit', (event) => {
  const typed = search.elements.namedItem('q');
  const [key] = WHOLE_KEY.exec(typed.value) ?? [];
  if (!key) return;
  event.preventDefault();
  typed.value = '';
  const form = Object.assign(document.createElement('form'), { method: 'post', action: `${search.getAttribute('action')}/identify`, hidden: true });
  form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'key', value: key }));
  document.body.append(form);
  form.submit();
  form.remove();
});

// “/” leads to the search, unless the user is typing.
if (search) {
  search.querySelector('.search-field').append(Object.assign(document.createElement('kbd'), { textContent: '/', ariaHidden: 'true' }));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
    event.preventDefault();
    search.elements.namedItem('q').focus();
  });
}

// The selection of keys: a box for the whole page, ranges with Shift, and a bar that appears over the table.
const selection = document.getElementById('select-keys');
if (selection) {
  const boxes = [...document.querySelectorAll('input[form="select-keys"]')];
  const all = document.getElementById('select-all');
  const [count, clear] = ['span', 'button'].map((name) => document.createElement(name));
  let last;
  const update = () => {
    const selected = boxes.filter((box) => box.checked).length;
    all.checked = selected === boxes.length;
    all.indeterminate = selected > 0 && !all.checked;
    selection.hidden = selected === 0;
    count.textContent = `${selected} selected`;
  };
  const setAll = (checked) => {
    boxes.forEach((box) => Object.assign(box, { checked }));
    update();
  };
  all.hidden = false;
  all.previousElementSibling.remove();
  all.addEventListener('click', () => setAll(all.checked));
  Object.assign(clear, { type: 'button', className: 'button ghost', textContent: 'Clear' }).addEventListener('click', () => setAll(false));
  count.role = 'status';
  selection.className = 'selecting';
  selection.prepend(count);
  selection.append(clear);
  document.querySelector('.card').prepend(selection);
  document.querySelector('.table').addEventListener('click', ({ target, shiftKey }) => {
    const at = boxes.indexOf(target);
    if (at < 0) return;
    if (shiftKey && last !== undefined) boxes.slice(Math.min(at, last), Math.max(at, last) + 1).forEach((box) => Object.assign(box, { checked: target.checked }));
    last = at;
    update();
  });
  addEventListener('pageshow', update);
  update();
}

// Overlays. At its address the server renders a page with an open dialog over it. This code fetches the dialog alone and
// opens it over the current page. If anything fails, it falls back to a normal navigation.
const OVERLAY_LINKS = 'a[aria-haspopup="dialog"]';
const behind = { address: location.href.split('#')[0], title: document.title };
const isPlain = (click) => !(click.ctrlKey || click.metaKey || click.shiftKey || click.altKey || click.defaultPrevented);
let shown, asked;

/** Makes a dialog modal. Where nothing leads back it shows a secret, and only its own link leads on. */
function show(dialog, back) {
  const address = location.href;
  shown = dialog;
  dialog.removeAttribute('open');
  dialog.setAttribute('closedby', back ? 'any' : 'none');
  dialog.addEventListener('cancel', (event) => back || event.preventDefault());
  dialog.addEventListener('close', () => {
    if (!back) return dialog.showModal();
    dialog.remove();
    if (document.activeElement === document.body) [...document.querySelectorAll(OVERLAY_LINKS)].find(({ href }) => href === address)?.focus();
    // The user closed it with Back or Forward.
    if (location.href !== address) return;
    if (history.state?.overlay) return history.back();
    history.replaceState(null, '', behind.address);
    document.title = behind.title;
  });
  dialog.addEventListener('click', (event) => {
    const isBack = event.target.closest('a')?.href === back && isPlain(event);
    const isBeside = event.target === dialog && !('closedBy' in dialog);
    if (!back || !(isBack || isBeside)) return;
    event.preventDefault();
    dialog.close();
  });
  document.body.append(dialog);
  addCopyButtons(dialog);
  dialog.showModal();
  if (document.activeElement.matches('[data-selects]')) document.activeElement.select();
}

function open(address, isNew) {
  const navigate = () => location.assign(address);
  asked?.abort();
  asked = Object.assign(new XMLHttpRequest(), { onerror: navigate, ontimeout: navigate });
  asked.onload = ({ target: { status, responseURL, response } }) => {
    const [dialog, backdrop] = ['dialog', 'a.backdrop'].map((part) => response?.querySelector(`body > ${part}`));
    if (status !== 200 || responseURL !== address || !dialog || !backdrop) return navigate();
    if (isNew) {
      // At an address with a fragment, going back would take the focus from the link.
      history.replaceState(history.state, '', location.href.split('#')[0]);
      history.pushState({ overlay: true }, '', address);
    }
    document.title = response.title;
    dialog.classList.add('arrives');
    show(dialog, backdrop.href);
  };
  asked.open('GET', address);
  Object.assign(asked, { responseType: 'document', timeout: 10_000 }).send();
}

// What is typed into a password field can be shown.
for (const field of document.querySelectorAll('[type="password"]')) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'button ghost reveal', textContent: 'Show' });
  const about = Object.assign(document.createElement('span'), { className: 'hidden', textContent: ' password' });
  button.append(about);
  button.addEventListener('click', () => {
    field.type = field.type === 'text' ? 'password' : 'text';
    button.firstChild.data = field.type === 'text' ? 'Hide' : 'Show';
  });
  field.after(button);
}

// A form that is sent twice gets two responses; the server ensures that the change happens once.
document.addEventListener('submit', ({ target, submitter }) => target.method === 'post' && submitter?.setAttribute('aria-disabled', 'true'));
document.addEventListener('click', (event) => {
  const link = event.target.closest(OVERLAY_LINKS);
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  open(link.href, true);
});
// The answer to a form that showed a secret leaves the history: Back would ask to submit the form again.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-replaces]');
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  location.replace(link.href);
});
addEventListener('popstate', () => {
  asked?.abort();
  shown?.close();
  if (history.state?.overlay) open(location.href, false);
  // After a reload of an overlay, the page behind it may differ from the one where it was opened.
  else if (location.href.split('#')[0] !== behind.address) location.reload();
  else document.title = behind.title;
});

const served = document.querySelector('body > dialog[open]');
if (served) {
  const backdrop = document.querySelector('body > .backdrop');
  if (backdrop.href) Object.assign(behind, { address: backdrop.href, title: backdrop.dataset.title });
  afterFirstFocus(() => {
    backdrop.remove();
    document.querySelector('body > [inert]').inert = false;
    show(served, backdrop.href);
  });
}

// A new key is lost with its page. Leaving asks for confirmation until the key was copied or marked as saved.
const ask = (event) => event.preventDefault();
const stopAsking = () => window.removeEventListener('beforeunload', ask);
const newKey = document.getElementById('new-key');
if (newKey) {
  window.addEventListener('beforeunload', ask);
  document.getElementById('saved')?.addEventListener('click', stopAsking);
  document.addEventListener('copy', () => {
    if (window.getSelection().toString().includes(newKey.textContent)) stopAsking();
  });
}

// Browsers apply no `autofocus` at an address with a fragment.
document.querySelector('[data-focuses]')?.focus({ preventScroll: true });

function addCopyButton(template) {
  const source = document.getElementById(template.dataset.copies);
  const added = template.content.cloneNode(true);
  const [button, status] = added.children;
  const word = button.querySelector('span');
  const say = (words, look) => Object.assign(status, { textContent: words, className: look });
  let timer;
  button.addEventListener('click', async () => {
    clearTimeout(timer);
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
    } catch {
      window.getSelection().selectAllChildren(source);
      return say('Press Ctrl+C or Command+C to copy', 'hint');
    }
    if (source === newKey) stopAsking();
    say('Copied to clipboard', 'hidden');
    word.textContent = 'Copied';
    button.classList.add('copied');
    timer = setTimeout(() => {
      say('', 'hidden');
      word.textContent = 'Copy';
      button.classList.remove('copied');
    }, 2500);
  });
  template.replaceWith(added);
  if (source === newKey) afterFirstFocus(() => button.focus());
}

function addCopyButtons(root) {
  root.querySelectorAll('template[data-copies]').forEach(addCopyButton);
}
addCopyButtons(document);
// A new key waits for its first request.
const POLL_MS = 3000;
const waiting = document.querySelector('[data-poll]');
if (waiting) {
  const path = waiting.dataset.poll;
  const until = Date.now() + 10 * 60_000;
  const say = (words) => Object.assign(waiting, { role: 'status', textContent: words });
  const poll = async () => {
    const response = document.hidden ? null : await fetch(path, { redirect: 'error' }).catch(() => null);
    if (response?.status === 200) {
      waiting.classList.add('received');
      return say(await response.text());
    }
    if (Date.now() > until) return say('No request was received yet. The page of the key shows the next one.');
    setTimeout(poll, POLL_MS);
  };
  say('Waiting for the first request …');
  setTimeout(poll, POLL_MS);
}
