/*
 * run.js -- runs tests by name, tells of each, and counts.
 */
'use strict'

const assert = require('node:assert/strict')

// Asserts that what is called fails with such a status (none: null) and text.
const refused = async (what, call, status, text) => {
	const error = await call.then(() => null, e => e)

	assert(error !== null, `${what} was not refused`)
	assert.equal(error.status ?? null, status, `${what}: ${error}`)
	assert(error.message.includes(text), `${what}: ${error}`)
}

const run = async tests => {
	let passed = 0, failed = 0

	for (const [name, test] of Object.entries(tests))
		try {
			await test()
			passed++
			console.log(`ok ${name}`)
		} catch (error) {
			failed++
			console.log(`FAIL: ${name}\n  | ${error && error.stack || error}`)
		}
	console.log(`${passed} passed, ${failed} failed`)
	process.exit(failed > 0 ? 1 : 0)
}

module.exports = { refused, run }
