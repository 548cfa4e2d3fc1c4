// What only a browser can add to pages that work without it.

const WHOLE_KEY = /[a-z][a-z0-9]{1,9}_[0-9A-Za-z]{38}/;

// Times are written by the server, in the zone that it is told here.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone && !document.cookie.split('; ').includes(`tz=${timeZone}`)) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `tz=${timeZone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

// A key that is searched for must not stand in an address, whatever was copied with it.
const search = document.querySelector('form.search');
search?.addEventListener('submit', (event) => {
  const typed = search.elements.namedItem('q');
  const [key] = WHOLE_KEY.exec(typed.value) ?? [];
  if (!key) return;
  event.preventDefault();
  typed.value = '';
  const form = document.createElement('form');
  const field = document.createElement('input');
  Object.assign(form, { method: 'post', action: `${search.getAttribute('action')}/identify`, hidden: true });
  Object.assign(field, { type: 'hidden', name: 'key', value: key });
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
});

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
  let timer;
  button.addEventListener('click', async () => {
    clearTimeout(timer);
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
    } catch {
      window.getSelection().selectAllChildren(source);
      status.textContent = 'Press Ctrl+C or Command+C to copy';
      status.className = 'hint';
      return;
    }
    stopAsking();
    status.textContent = 'Copied to clipboard';
    status.className = 'hidden';
    word.textContent = 'Copied';
    button.classList.add('copied');
    timer = setTimeout(() => {
      status.textContent = '';
      word.textContent = 'Copy';
      button.classList.remove('copied');
    }, 2500);
  });
  template.replaceWith(added);
  // Not before the browser has set the focus itself, when it first draws the page: it would complain.
  if (source === newKey) requestAnimationFrame(() => button.focus());
}
