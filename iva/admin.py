"""What operators may look at, in the order in which their pages name it."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import Acceptance, ApiKey, LegalDocument, Membership, Notice, Organization, User
from agent.models import KnowledgeEntry
from billing.models import Usage
from channels_cfg.models import Channel
from conversations.models import Conversation, Message
from iva.audit.models import AuditEvent
from iva.models import Round
from iva.operators.conversation_lists import ConversationAdmin, EndUserAdmin, MessageAdmin
from iva.operators.documents import LegalDocumentAdmin
from iva.operators.door_lists import ApiKeyAdmin, ChannelAdmin, KnowledgeEntryAdmin, UsageAdmin
from iva.operators.keeping_lists import AuditEventAdmin, ErasureRecordAdmin, LegalHoldAdmin
from iva.operators.member_lists import AcceptanceAdmin, MembershipAdmin, NoticeAdmin
from iva.operators.organizations import OrganizationAdmin
from iva.operators.platform_lists import OperatorAdmin, PromiseAdmin, RoundAdmin
from iva.outbox.models import Promise
from privacy.models import EndUser, ErasureRecord
from retention.models import LegalHold

admin.site.unregister(Group)
admin.site.register(Organization, OrganizationAdmin)
admin.site.register(Promise, PromiseAdmin)
admin.site.register(Round, RoundAdmin)
admin.site.register(LegalDocument, LegalDocumentAdmin)
admin.site.register(User, OperatorAdmin)
admin.site.register(Membership, MembershipAdmin)
admin.site.register(Channel, ChannelAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Conversation, ConversationAdmin)
admin.site.register(Message, MessageAdmin)
admin.site.register(EndUser, EndUserAdmin)
admin.site.register(Notice, NoticeAdmin)
admin.site.register(Acceptance, AcceptanceAdmin)
admin.site.register(KnowledgeEntry, KnowledgeEntryAdmin)
admin.site.register(Usage, UsageAdmin)
admin.site.register(LegalHold, LegalHoldAdmin)
admin.site.register(ErasureRecord, ErasureRecordAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)
