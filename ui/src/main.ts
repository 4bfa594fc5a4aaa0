import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { core } from '$lib/core.svelte';
import { language } from '$lib/i18n.svelte';
import '$lib/appearance.svelte';
import { platform } from './platform';

document.documentElement.lang = language.current;
core.start(await platform());
const target = document.getElementById('app');
if (target) mount(App, { target });
