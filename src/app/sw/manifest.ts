import type { ManifestOptions } from 'vite-plugin-pwa';

/** The web app manifest: what an installed Tabmesh is called and looks like. */
export const manifest: Partial<ManifestOptions> = {
  id: '/',
  name: 'Tabmesh',
  short_name: 'Tabmesh',
  description: 'Collect literature, share tools and search with the people in your room. Your browser is the server.',
  start_url: '/',
  scope: '/',
  display: 'standalone',
  lang: 'en',
  theme_color: '#f9f9fb',
  background_color: '#ffffff',
  categories: ['productivity', 'education'],
  icons: [
    { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml' },
    { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
    { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
    { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
  shortcuts: [
    { name: 'Search', url: '/search' },
    { name: 'Research', url: '/research' },
  ],
};
