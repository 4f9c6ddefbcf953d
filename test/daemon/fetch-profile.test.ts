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
