/* routes.c -- the registry's API at a glance (Confluent Schema Registry's, section by section). */
#include "common/handlers.h"
#include "registry/app.h"

const struct route app_routes[] = {
	{ HTTP_GET, "/", handler_root, "root", 0 },
	{ HTTP_POST, "/", handler_root, "root", 0 },

	{ HTTP_GET, "/subjects", subjects_list, "subjects.list", 0 },
	{ HTTP_POST, "/subjects/{subject}", subjects_lookup, "subjects.lookup", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/subjects/{subject}", subjects_delete, "subjects.delete", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/subjects/{subject}/metadata", subjects_latest_with, "subjects.metadata", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/subjects/{subject}/versions", subjects_versions, "subjects.versions.list", ROUTE_OF_SUBJECT },
	{ HTTP_POST, "/subjects/{subject}/versions", subjects_register, "subjects.versions.register", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/subjects/{subject}/versions/{version}", subjects_version, "subjects.versions.get", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/subjects/{subject}/versions/{version}", subjects_delete_version, "subjects.versions.delete", ROUTE_OF_SUBJECT },
	{ HTTP_POST, "/subjects/{subject}/versions/{version}/tags", subjects_tag, "subjects.versions.tags", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/subjects/{subject}/versions/{version}/schema", subjects_version_schema, "subjects.versions.schema", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/subjects/{subject}/versions/{version}/referencedby", subjects_referenced_by, "subjects.versions.referencedby", ROUTE_OF_SUBJECT },

	{ HTTP_GET, "/schemas", schemas_list, "schemas.list", 0 },
	{ HTTP_GET, "/schemas/types", schemas_types, "schemas.types", 0 },
	{ HTTP_GET, "/schemas/ids/{id}", schemas_by_id, "schemas.ids.get", 0 },
	{ HTTP_GET, "/schemas/ids/{id}/schema", schemas_text_by_id, "schemas.ids.schema", 0 },
	{ HTTP_GET, "/schemas/ids/{id}/subjects", schemas_subjects_of_id, "schemas.ids.subjects", 0 },
	{ HTTP_GET, "/schemas/ids/{id}/versions", schemas_versions_of_id, "schemas.ids.versions", 0 },
	{ HTTP_GET, "/schemas/guids/{guid}", schemas_by_guid, "schemas.guids.get", 0 },
	{ HTTP_GET, "/schemas/guids/{guid}/ids", schemas_ids_of_guid, "schemas.guids.ids", 0 },

	{ HTTP_POST, "/compatibility/subjects/{subject}/versions", compatibility_check_all, "compatibility.all", ROUTE_OF_SUBJECT },
	{ HTTP_POST, "/compatibility/subjects/{subject}/versions/{version}", compatibility_check_version, "compatibility.version", ROUTE_OF_SUBJECT },

	{ HTTP_GET, "/config", config_get, "config.global.get", ROUTE_OF_SUBJECT },
	{ HTTP_PUT, "/config", config_put, "config.global.put", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/config", config_delete, "config.global.delete", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/config/{subject}", config_get, "config.subject.get", ROUTE_OF_SUBJECT },
	{ HTTP_PUT, "/config/{subject}", config_put, "config.subject.put", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/config/{subject}", config_delete, "config.subject.delete", ROUTE_OF_SUBJECT },

	{ HTTP_GET, "/mode", mode_get, "mode.global.get", ROUTE_OF_SUBJECT },
	{ HTTP_PUT, "/mode", mode_put, "mode.global.put", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/mode", mode_delete, "mode.global.delete", ROUTE_OF_SUBJECT },
	{ HTTP_GET, "/mode/{subject}", mode_get, "mode.subject.get", ROUTE_OF_SUBJECT },
	{ HTTP_PUT, "/mode/{subject}", mode_put, "mode.subject.put", ROUTE_OF_SUBJECT },
	{ HTTP_DELETE, "/mode/{subject}", mode_delete, "mode.subject.delete", ROUTE_OF_SUBJECT },

	{ HTTP_GET, "/contexts", contexts_list, "contexts.list", 0 },
	{ HTTP_DELETE, "/contexts/{context}", contexts_delete, "contexts.delete", 0 },

	{ HTTP_POST, "/associations", associations_create, "associations.create", 0 },
	{ HTTP_POST, "/associations:batchGet", associations_batch_get, "associations.batch.get", 0 },
	{ HTTP_POST, "/associations:batchMutate", associations_batch_mutate, "associations.batch.mutate", 0 },
	{ HTTP_GET, "/associations/resources/{resourceId}", associations_of_id, "associations.resources.get", 0 },
	{ HTTP_PUT, "/associations/resources/{resourceId}", associations_upsert, "associations.resources.put", 0 },
	{ HTTP_DELETE, "/associations/resources/{resourceId}", associations_delete, "associations.resources.delete", 0 },
	{ HTTP_GET, "/associations/resources/{resourceNamespace}/{resourceName}", associations_of_name, "associations.resources.name", 0 },
	{ HTTP_GET, "/associations/subjects/{subject}", associations_of_subject, "associations.subjects.get", ROUTE_OF_SUBJECT },

	{ HTTP_GET, "/v1/metadata/id", metadata_id, "metadata.id", 0 },
	{ HTTP_GET, "/v1/metadata/version", metadata_version, "metadata.version", 0 },
	{ HTTP_GET, "/v1/metadata/deployment", metadata_deployment, "metadata.deployment", 0 },

	/* Ours: for those who watch the process. */
	{ HTTP_GET, "/-/healthy", handler_healthy, "healthy", APP_WATCHES },
	{ HTTP_GET, "/-/ready", metadata_ready, "ready", APP_WATCHES },
	{ HTTP_GET, "/-/metrics", metadata_metrics, "metrics", APP_WATCHES },
	ROUTES_END
};
