import { expect, it } from 'vitest';
import { type Fetch, fetchProfile } from '../../main/daemon/fetch-profile.ts';

const answers = (pages: Record<string, () => Response>): Fetch & { readonly asked: string[] } => {
  const asked: string[] = [];
  const get: Fetch = async (url, { redirect }) => {
    expect(redirect).toBe('manual');
    asked.push(url);
    const page = pages[url];
    if (!page) throw new TypeError('fetch failed', { cause: new Error('ENOTFOUND') });
    return page();
  };
  return Object.assign(get, { asked });
};
const to = (location: string): Response => new Response(null, { status: 302, headers: { location } });

it('fetches over https, also behind a redirection', async () => {
  const get = answers({
    'https://a.example/p': () => to('/q'),
    'https://a.example/q': () => new Response('{"culvert":1}'),
  });
  expect(await fetchProfile('https://a.example/p', get)).toBe('{"culvert":1}');
});

it('asks nobody in the clear, nor by another way', async () => {
  const get = answers({ 'https://a.example/p': () => to('http://a.example/q') });
  for (const url of ['http://a.example/p', 'file:///etc/shadow', 'nonsense', 'https://u:p@a.example/', ''])
    await expect(fetchProfile(url, get), url).rejects.toMatchObject({ code: 'profile/url', data: { field: 'url' } });
  expect(get.asked).toEqual([]);
  await expect(fetchProfile('https://a.example/p', get)).rejects.toMatchObject({ code: 'profile/url' });
  expect(get.asked).toEqual(['https://a.example/p']);
});

it('takes a redirection to nonsense for a failure, not for a defect', async () => {
  for (const location of ['https://', 'http://[', 'https://a:99999/']) {
    const get = answers({ 'https://a.example/p': () => to(location) });
    await expect(fetchProfile('https://a.example/p', get), location).rejects.toMatchObject({ code: 'profile/fetch' });
  }
});

it('is not led from outside into this computer or its networks', async () => {
  const hosts = [
    '127.0.0.1',
    '0x7f.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
  ];
  const names = [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '[::1]',
    '[::]',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
  ];
  for (const host of [...hosts, ...names]) {
    const get = answers({ 'https://a.example/p': () => to(`https://${host}/q`) });
    await expect(fetchProfile('https://a.example/p', get), host).rejects.toMatchObject({ code: 'profile/fetch' });
    expect(get.asked).toEqual(['https://a.example/p']);
  }
  // Whoever names such an address means it, and may be sent on.
  const own = answers({
    'https://10.0.0.1/p': () => to('https://192.168.0.1/q'),
    'https://192.168.0.1/q': () => to('https://172.32.0.1/r'),
    'https://172.32.0.1/r': () => to('https://[2001:db8::1]/s'),
    'https://[2001:db8::1]/s': () => new Response('{}'),
  });
  expect(await fetchProfile('https://10.0.0.1/p', own)).toBe('{}');
});

it('is bounded', async () => {
  const long = answers({ 'https://a.example/p': () => new Response('x'.repeat(300_000)) });
  await expect(fetchProfile('https://a.example/p', long)).rejects.toMatchObject({ code: 'profile/fetch' });
  const round = answers({ 'https://a.example/p': () => to('/p') });
  await expect(fetchProfile('https://a.example/p', round)).rejects.toMatchObject({ code: 'profile/fetch' });
  expect(round.asked).toHaveLength(4);
});

it('says what went wrong', async () => {
  const get = answers({ 'https://a.example/p': () => new Response('no', { status: 404 }) });
  await expect(fetchProfile('https://a.example/p', get)).rejects.toThrow('404');
  await expect(fetchProfile('https://b.example/p', get)).rejects.toThrow('ENOTFOUND');
});
