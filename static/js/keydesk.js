// What only a browser can add to pages that work without it.

// Browsers set the focus themselves when they first draw a page, and complain where it is set already.
const afterFirstFocus = requestAnimationFrame;
const WHOLE_KEY = /[a-z][a-z0-9]{1,9}_[0-9A-Za-z]{38}/;

// Times are written by the server, in the zone that it is told here.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone && !document.cookie.split('; ').includes(`tz=${timeZone}`)) {
  document.cookie = `tz=${timeZone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
}

// A key that is searched for must not stand in an address, whatever was copied with it.
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

// Overlays. Each has an address that the server draws whole: a page, and an open dialog over it. Here the dialog alone
// is fetched and opens over the page that is there. Whatever does not work out is an ordinary navigation.
const OVERLAY_LINKS = 'a[aria-haspopup="dialog"]';
const isPlain = (click) => !(click.ctrlKey || click.metaKey || click.shiftKey || click.altKey || click.defaultPrevented);
const behind = { address: location.href.split('#')[0], title: document.title };
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
    // Back or Forward closed it.
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
  dialog.showModal();
}

function open(address, isNew) {
  const navigate = () => location.assign(address);
  asked?.abort();
  asked = Object.assign(new XMLHttpRequest(), { onerror: navigate, ontimeout: navigate });
  asked.onload = ({ target: { status, responseURL, response } }) => {
    const [dialog, backdrop] = ['dialog', 'a.backdrop'].map((part) => response?.querySelector(`body > ${part}`));
    if (status !== 200 || responseURL !== address || !dialog || !backdrop) return navigate();
    if (isNew) {
      // Back at a fragment, browsers would take the focus from the link.
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

// Sent twice, a form is answered twice: the server sees to it that nothing is done twice.
document.addEventListener('submit', ({ target, submitter }) => target.method === 'post' && submitter?.setAttribute('aria-disabled', 'true'));
document.addEventListener('click', (event) => {
  const link = event.target.closest(OVERLAY_LINKS);
  if (!link || !isPlain(event)) return;
  event.preventDefault();
  open(link.href, true);
});
addEventListener('popstate', () => {
  asked?.abort();
  shown?.close();
  if (history.state?.overlay) open(location.href, false);
  // Behind an overlay that was loaded anew there may be another page than the one it was opened on.
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

// A new key is gone with the page: leaving asks first, until it was copied or said to be saved.
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

for (const template of document.querySelectorAll('template[data-copies]')) {
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
    stopAsking();
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
