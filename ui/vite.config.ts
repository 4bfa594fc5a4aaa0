import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type ProxyOptions } from 'vite';

/** Where the core listens: the same rule as the program's own (`host::home`). */
function controlSocket(): string {
  if (process.env.GATEHOUSE_SOCKET) return process.env.GATEHOUSE_SOCKET;
  if (process.env.GATEHOUSE_HOME) return `${process.env.GATEHOUSE_HOME}/control.sock`;
  if (process.platform === 'darwin') return `${homedir()}/Library/Application Support/Gatehouse/control.sock`;
  return `${process.env.XDG_DATA_HOME ?? `${homedir()}/.local/share`}/gatehouse/control.sock`;
}

/** In development and in browser tests the page reaches a running core through this proxy; the product has no such door. */
const core: Record<string, ProxyOptions> = {
  '/v1': { target: { socketPath: controlSocket(), host: 'localhost', port: 80 }, changeOrigin: true },
};
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  plugins: [svelte()],
  clearScreen: false,
  server: { host: '127.0.0.1', port: 5173, strictPort: true, proxy: core, fs: { allow: ['..'] } },
  preview: { host: '127.0.0.1', strictPort: true, proxy: core },
  resolve: {
    alias: { $lib: path('src/lib'), $parts: path('src/components'), $api: path('src/generated/api.ts'), $catalogue: path('../catalogue') },
  },
  build: { target: 'safari15', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
});
