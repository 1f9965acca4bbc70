/*
 * avro_schema_registry_test.js -- avro-schema-registry, unmodified.
 *
 *	node avro_schema_registry_test.js URL FOLDER
 *
 * FOLDER: see ../registry_values.py.
 */
'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { refused, run } = require('./run.js')

const [url, folder] = process.argv.slice(2)
const registry = () => require('avro-schema-registry')(url)
const schema = (...more) => ({ type: 'record', name: 'Event', namespace: 'small', fields: [{ name: 'id', type: 'long' }, ...more] })
const note = { name: 'note', type: 'string', default: 'none' }

run({
	async a_value_is_registered_and_comes_back() {
		const bytes = await registry().encodeMessage('small', schema(), { id: 7 })

		assert.equal(bytes.readUInt8(0), 0)
		assert.deepEqual({ ...await registry().decode(bytes) }, { id: 7 })
		assert.deepEqual(await registry().encodeMessage('small', schema(), { id: 7 }), bytes)
	},

	async keys_have_a_subject_of_their_own() {
		const bytes = await registry().encodeKey('small', 'string', 'k')

		assert.equal(await registry().decode(bytes), 'k')
		assert.equal((await registry().getSchemaByTopicName('small-key')).id, bytes.readUInt32BE(1))
	},

	async the_newest_version_is_found_by_name() {
		const old = await registry().encodeMessage('small', schema(), { id: 8 })
		const bytes = await registry().encodeMessage('small', schema(note), { id: 8, note: 'n' })
		const { id, parsedSchema } = await registry().getSchemaByTopicName('small-value')

		assert.notEqual(id, old.readUInt32BE(1))
		assert.equal(id, bytes.readUInt32BE(1))
		assert.deepEqual(parsedSchema.schema().fields.map(field => field.name), ['id', 'note'])
		assert.deepEqual(await registry().encodeMessageByTopicName('small-value', { id: 8, note: 'n' }), bytes)
	},

	async schemas_are_found_by_id() {
		const bytes = await registry().encodeMessage('small', schema(), { id: 9 })

		assert.deepEqual(await registry().encodeById(bytes.readUInt32BE(1), { id: 9 }), bytes)
	},

	async refusals_are_told() {
		await refused('an incompatible schema', registry().encodeMessage('small', schema({ name: 'x', type: 'int' }), { id: 1, x: 2 }),
			null, 'Schema registry error: 409 - Schema being registered is incompatible with an earlier schema')
		await refused('an id', registry().decode(Buffer.from([0, 0, 1, 0, 0, 2])), null,
			'Schema registry error: 40403 - Schema 65536 not found')
		await refused('a subject', registry().getSchemaByTopicName('small-none'), null,
			"Schema registry error: 40401 - Subject 'small-none' not found.")
	},

	async values_are_shared() {
		const event = JSON.parse(fs.readFileSync(`${folder}/event.avsc`))
		const given = fs.readFileSync(`${folder}/python.avro`)
		const bytes = await registry().encodeMessage('shared', event, { id: 3, note: 'by avro-schema-registry' })

		assert.equal((await registry().decode(given)).note, 'by python')
		assert.equal((await registry().decode(fs.readFileSync(`${folder}/kafkajs.avro`))).note, 'by kafkajs')
		assert.equal(bytes.readUInt32BE(1), given.readUInt32BE(1))
		fs.writeFileSync(`${folder}/avro-schema-registry.avro`, bytes)
	},
})
