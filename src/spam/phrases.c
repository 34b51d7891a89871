/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/phrases.h"

#include "rules/literal_table.h"

struct family {
    const char *name;
    const char *const *phrases; /* folded, each of at least LITERAL_LEAST bytes; NULL ends them */
};

#define FAMILY(name, ...)           \
    {                               \
        name, (const char *const[]) \
        {                           \
            __VA_ARGS__, NULL       \
        }                           \
    }

static const struct family families[] = {
    FAMILY("greeting-to-nobody", "dear customer", "dear user", "dear member", "dear client", "dear friend",
           "dear sir", "dear beneficiary", "dear winner", "dear account", "dear email", "dear valued",
           "dear beloved", "hello dear", "greetings to you", "お客様各位", "お客さま各位", "会員の皆様",
           "ユーザー各位", "お客様へ", "ご利用者様"),
    FAMILY("account-trouble", "your account has been", "account will be", "account suspended",
           "account is suspended", "account has been limited", "suspended your account", "deactivat",
           "unusual activity", "unusual sign", "suspicious activity", "unauthorized login", "locked your",
           "has been locked", "restricted your", "verify your account", "update your account",
           "confirm your account", "confirm your identity", "account verification", "account information",
           "アカウントが停止", "アカウントを停止", "アカウントの利用", "利用を制限", "ご利用を制限",
           "ご利用制限", "利用制限", "一時的に制限", "一時停止", "異常なログイン", "不正アクセス", "不正利用",
           "第三者による", "第三者不正", "不審なアクセス", "不審なログイン", "本人確認", "ご本人確認",
           "アカウント確認", "アカウントを確認", "お客様情報の確認", "情報を更新", "更新してください",
           "ロックされ"),
    FAMILY("urgent", "within 24 hours", "within 48 hours", "within 72 hours", "immediately", "act now",
           "urgent", "final notice", "last warning", "last chance", "failure to", "will be deleted",
           "will be terminated", "expires today", "至急", "緊急", "24時間以内", "48時間以内", "72時間以内",
           "期限内に", "最終通知", "最終警告", "重要なお知らせ", "【重要】", "【緊急】", "【最終"),
    FAMILY("click", "click here", "click below", "click the link", "click on the link", "follow the link",
           "click the button", "log in to your", "login to your", "sign in to your", "こちらをクリック",
           "下記のリンク", "以下のリンク", "リンクをクリック", "下記url", "以下のurl", "下記へアクセス",
           "下記よりアクセス", "今すぐ確認", "ログインして", "ここをクリック", "確認はこちら"),
    FAMILY("mailbox-trouble", "mailbox is full", "mailbox full", "mailbox quota", "storage quota",
           "email quota", "quota exceeded", "mailbox storage", "pending messages", "undelivered messages",
           "incoming messages", "mail server upgrade", "upgrade your mailbox", "webmail",
           "keep same password", "keep current password", "password expires", "password will expire",
           "password expiration", "メールボックスの容量", "容量を超え", "受信できません",
           "パスワードの有効期限", "パスワードが期限切れ", "保留中のメッセージ"),
    FAMILY("parcel", "your parcel", "your package", "your shipment", "delivery attempt", "delivery fee",
           "could not be delivered", "unable to deliver", "shipping fee", "customs fee", "tracking number",
           "re-deliver", "redelivery", "お荷物", "不在の為", "不在のため", "持ち帰りました", "配達できません",
           "再配達", "配送先住所", "お届け先", "住所の確認", "通関", "関税"),
    FAMILY("bank-ja", "三井住友", "三菱ufj", "みずほ銀行", "りそな銀行", "ゆうちょ銀行", "楽天銀行",
           "住信sbi", "jaネットバンク", "イオン銀行", "pay銀行", "口座が", "お取引を", "お取引目的", "入出金",
           "ワンタイムパスワード", "振込"),
    FAMILY("card-ja", "カードのご利用", "カード利用", "ご請求", "ご利用金額", "引き落とし", "お支払い方法",
           "支払い方法", "カード会員", "三井住友カード", "楽天カード", "イオンカード", "エポスカード",
           "jcbカード", "セゾンカード", "ビューカード", "vpass", "american express", "mycard", "ポイント失効",
           "カード情報"),
    FAMILY("brand-ja", "amazon", "アマゾン", "楽天市場", "メルカリ", "paypay", "au pay", "えきねっと",
           "etc利用照会", "etcカード", "国税庁", "税務署", "未払い税金", "マイナポイント", "マイナンバー",
           "ntt docomo", "nttドコモ", "ソフトバンク", "apple id", "日本郵便", "ヤマト運輸", "佐川急便",
           "総務省", "年金機構", "水道局", "東京電力"),
    FAMILY("brand", "paypal", "netflix", "apple", "microsoft", "office 365", "office365", "docusign", " dhl",
           "fedex", "usps", "bank of america", "wells fargo", "chase bank", "coinbase", "metamask", "binance",
           "trust wallet", "blockchain", "facebook", "instagram", "linkedin", "whatsapp", "correos",
           "la poste", "sparkasse", "volksbank", "postbank", "commerzbank", "norton", "mcafee", "geek squad",
           "bradesco", "itaú", "santander", "nubank"),
    FAMILY("advance-fee", "next of kin", "million dollars", "million united states", "usd million",
           "beneficiary", "inheritance", "late husband", "late father", "barrister", "diplomat",
           "consignment", "atm card", "fund transfer", "transfer of", "transfer the sum", "foreign partner",
           "strictly confidential", "confidential transaction", "god bless you", "business proposal",
           "mutual benefit", "compensation fund", "western union", "moneygram", "lottery", "you have won",
           "donation to you", "charity", "united nations", "unclaimed", "100% risk free", "deceased", "遺産",
           "寄付金", "当選", "賞金", "受取人", "億円", "百万ドル", "ご支援金", "給付金"),
    FAMILY("extortion", "bitcoin", "btc wallet", "bitcoin address", "webcam", "your device", "i hacked",
           "i have hacked", "recorded you", "i recorded", "pervert", "masturbat", "trojan", "malware on",
           "send the video", "to your contacts", "ビットコイン", "ハッキング", "録画", "ウェブカメラ",
           "あなたのデバイス", "自慰", "マルウェア", "拡散します"),
    FAMILY("crypto", "crypto", "wallet", "airdrop", "token", "seed phrase", "recovery phrase", "仮想通貨",
           "暗号資産", "ウォレット"),
    FAMILY("drugs", "viagra", "cialis", "levitra", "pharmacy", "prescription", "weight loss", "lose weight",
           "erection", "erectile", "penis", "testosterone", "cbd oil", "keto", "blood sugar", "diabet",
           "v1agra", "anti-aging", "バイアグラ", "精力", "勃起", "ダイエット", "痩せ", "サプリ"),
    FAMILY("dating", "sexy", "hot girls", "singles", "dating", "naked", "horny", "adult site", "porn",
           "lonely", "出会い", "人妻", "セックス", "エッチ", "逆援", "女性会員", "アダルト", "無修正",
           "恋人募集", "セフレ"),
    FAMILY("earn", "make money", "earn money", "extra income", "work from home", "work at home",
           "home based business", "financial freedom", "be your own boss", "earn up to", "per week",
           "per month", "passive income", "get paid", "investment opportunity", "guaranteed return",
           "multi level", "副業", "在宅", "月収", "日給", "簡単に稼", "稼げる", "不労所得", "投資", "利益",
           "確実に", "高収入", "株式情報", "銘柄", "fxで"),
    FAMILY("credit", "mortgage", "refinance", "low rates", "interest rate", "consolidate", "debt",
           "bad credit", "credit card debt", "loan offer", "loan approval", "apply for a loan",
           "business loan", "life insurance", "融資", "ローン", "借入", "キャッシング", "即日", "債務整理"),
    FAMILY("free", "for free", "free trial", "absolutely free", "free gift", "free offer", "no cost",
           "no obligation", "risk free", "100% free", "free access", "無料で", "完全無料", "登録無料",
           "無料プレゼント", "無料登録"),
    FAMILY("guarantee", "satisfaction guaranteed", "money back", "guaranteed", "100% guarantee", "no risk",
           "保証します", "全額返金", "返金保証"),
    FAMILY("offer", "limited time", "special offer", "order now", "buy now", "lowest price", "best price",
           "discount", "save up to", "% off", "clearance", "special promotion", "exclusive offer",
           "don't miss", "while supplies", "限定", "特別価格", "割引", "セール", "クーポン", "送料無料",
           "激安", "半額", "お得な", "キャンペーン"),
    FAMILY("replica", "replica", "rolex", "louis vuitton", "designer watch", "luxury watch", "ブランドコピー",
           "スーパーコピー", "コピー時計", "偽物", "n級品"),
    FAMILY("software", "oem software", "cheap software", "adobe photoshop", "windows xp", "download software",
           "norton systemworks"),
    FAMILY("seo", "search engine", "first page of google", "google ranking", "seo services", "seo service",
           "backlinks", "guest post", "web traffic", "website traffic", "web design",
           "mobile app development", "website development", "redesign", "increase your sales", "bulk email",
           "email list", "email marketing", "mailing list of", "targeted email", "leads", "seo対策",
           "上位表示", "ホームページ制作", "被リンク", "集客"),
    FAMILY("trade-offer", "we are manufacturer", "we are a manufacturer", "we are a professional",
           "manufacturer of", "our factory", "our company is", "from china", "shenzhen", "competitive price",
           "price list", "product catalog", "cooperate with", "good quality", "free sample", "hello manager",
           "dear manager", "purchasing manager", "工場", "貴社の", "弊社は", "代理店", "輸入", "見積"),
    FAMILY("invoice-bait", "attached invoice", "invoice attached", "outstanding invoice", "overdue invoice",
           "payment advice", "proof of payment", "remittance advice", "bank slip", "swift copy",
           "purchase order attached", "new order", "request for quotation", "see attached",
           "please find attached", "kindly find", "添付の請求書", "請求書を添付", "お支払い期限", "未払い",
           "お振込み"),
    FAMILY("subscription-bait", "subscription has been renewed", "auto-renew", "auto renewal",
           "automatic renewal", "will be charged", "has been charged", "to cancel", "call us", "toll free",
           "customer support", "helpdesk", "refund department", "プライム会費", "会員資格", "自動更新",
           "更新手続き", "退会"),
    FAMILY("reward", "gift card", "you have been selected", "you've been selected", "congratulations",
           "claim your", "claim now", "survey", "reward", "prize", "sweepstakes", "exclusive reward",
           "ポイント付与", "プレゼント", "おめでとう", "ポイントを受け取", "特典", "アンケート", "抽選"),
    FAMILY("remove-me", "to be removed", "remove me", "removed from", "unsubscribe", "opt out", "opt-out",
           "opted in", "you are receiving this", "you received this", "not spam", "not a spam", "bill s.1618",
           "wish to receive", "no longer wish", "配信停止", "配信解除", "登録解除", "購読解除",
           "メルマガ解除", "受信拒否"),
    FAMILY("law-ja", "特定電子メール", "特定商取引", "発行者", "配信元", "送信者情報", "メールマガジン",
           "メルマガ"),
    FAMILY("thanks-ja", "お世話になっております", "お世話になります", "お疲れ様", "よろしくお願い",
           "いたします", "平素より", "平素は", "いつもご利用", "ありがとうございます", "敬具", "拝啓"),
    FAMILY("odd-ja", "お客様の個人情報", "ご迷惑をかけて", "御利用", "お客樣", "リソース", "プロセス",
           "下記の通り", "様:", "のため、あなた", "あなたの", "貴方", "貴方の", "受信者", "親愛なる"),
    FAMILY("kind-words", "kindly", "dear all", "regards", "sincerely", "best wishes", "thank you for"),
    FAMILY("programming", "patch", "commit", "function", "compile", "kernel", "debian", "linux", "server",
           "stack trace", "regression", "#include", "return ", "struct ", "git "),
    FAMILY("conversation", "wrote:", "writes:", "i think", "i guess", "iirc", "imho", "afaik", "haha",
           "と思います", "でしょうか"),
    FAMILY("receipt", "order number", "order confirmation", "your order", "receipt", "invoice number",
           "order details", "subtotal", "shipping address", "注文番号", "ご注文", "領収書", "受注",
           "お買い上げ"),
    FAMILY("code", "verification code", "security code", "one-time", "confirm your email",
           "reset your password", "password reset", "認証コード", "確認コード", "パスワードの再設定",
           "パスワード再設定"),
    FAMILY("event", "seminar", "webinar", "conference", "meeting", "agenda", "minutes of", "invitation",
           "セミナー", "講演会", "会議", "研究会", "学会", "説明会", "議事録", "日程"),
    FAMILY("money", "$1,0", "$10,", "$100", "$500", " us$", "usd ", "€ ", "eur ", "million", "billion",
           "万円", "円を", "円の"),
    FAMILY("view-online", "view in browser", "view this email", "view online", "having trouble viewing",
           "ブラウザで", "表示されない"),
    FAMILY("legal-foot", "all rights reserved", "privacy policy", "terms of", "copyright",
           "confidentiality notice", "プライバシー", "無断転載", "著作権"),
    FAMILY("no-answer", "do not reply", "please do not respond", "no-reply", "noreply", "本メールは送信専用",
           "送信専用", "返信できません", "心当たりのない", "心当たりがない"),
};

enum { FAMILIES = sizeof families / sizeof *families };

_Static_assert(FAMILIES <= 64, "a bit for each family");

const char *phrases_family_at(unsigned position)
{
    return position < FAMILIES ? families[position].name : NULL;
}

/* Made at the first use. */
static const struct literal_table *phrase_table(void)
{
    static struct literal_table *table;
    if (table) return table;
    table = literal_table_new();
    for (uint32_t family = 0; family < FAMILIES; family++)
        for (const char *const *phrase = families[family].phrases; *phrase; phrase++)
            literal_table_add(table, text_of(*phrase), family);
    return table;
}

/* A bit for each family that is met. */
static uint64_t families_in(struct text text)
{
    uint64_t found = 0;
    struct literal_walk walk = { .table = phrase_table(), .text = text };
    while (literal_table_next(&walk)) found |= UINT64_C(1) << walk.value;
    return found;
}

static void found_add(struct features *features, const char *where, uint64_t found)
{
    for (uint32_t family = 0; family < FAMILIES; family++)
        if (found >> family & 1) features_add_fact(features, where, text_of(families[family].name));
}

void phrases_add(struct features *features, struct text subject, struct text visible)
{
    found_add(features, "subject-phrase", families_in(subject));
    found_add(features, "phrase", families_in(visible));
}
